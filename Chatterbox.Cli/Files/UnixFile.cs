using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Chatterbox.Cli.Files;

/// <summary>What .NET does not tell of a file on Linux: its owner, its links, and whether it is a file at all.</summary>
/// <param name="Links">Names that the file has.</param>
internal readonly record struct UnixFile(uint Owner, uint Group, uint Links, bool IsRegular)
{
    private const int CurrentDirectory = -100;
    private const uint BasicStats = 0x7ff;
    private const int TypeMask = 0xf000;
    private const int RegularType = 0x8000;

    /// <summary>Null where it is not known: no such file, or another system than Linux.</summary>
    public static UnixFile? Of(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        var stat = new byte[256];
        try
        {
            if (Statx(CurrentDirectory, path, 0, BasicStats, stat) != 0) return null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
        return new(At(stat, 20), At(stat, 24), At(stat, 16), (BitConverter.ToUInt16(stat, 28) & TypeMask) == RegularType);
    }

    /// <summary>Makes a new file the other's like in mode and owner. False where that cannot be done or is not known.</summary>
    public bool TryMakeAlike(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsLinux() || Of(path) is not { } now) return false;
        if ((now.Owner, now.Group) != (Owner, Group) && Chown(path, Owner, Group) != 0) return false;
        // After the owner, since that may clear bits.
        File.SetUnixFileMode(path, mode);
        return true;
    }

    private static uint At(byte[] stat, int offset) => BitConverter.IsLittleEndian
        ? BinaryPrimitives.ReadUInt32LittleEndian(stat.AsSpan(offset))
        : BinaryPrimitives.ReadUInt32BigEndian(stat.AsSpan(offset));

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask,
        byte[] stat);

    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Chown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint owner, uint group);
}
