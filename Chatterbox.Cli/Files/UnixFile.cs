using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Chatterbox.Cli.Files;

/// <summary>File attributes on Linux that .NET does not expose: owner, links, and whether it is a regular file.</summary>
/// <param name="Links">The number of hard links.</param>
internal readonly record struct UnixFile(uint Owner, uint Group, uint Links, bool IsRegular)
{
    private const int CurrentDirectory = -100;
    private const uint BasicStats = 0x7ff;
    private const int TypeMask = 0xf000;
    private const int RegularType = 0x8000;

    /// <summary>Null if unknown: no such file, or not Linux.</summary>
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

    /// <summary>Copies mode and owner to a new file. False if that fails or they are unknown.</summary>
    public bool TryMakeAlike(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsLinux() || Of(path) is not { } now) return false;
        if ((now.Owner, now.Group) != (Owner, Group) && Chown(path, Owner, Group) != 0) return false;
        // After the owner, since changing the owner may clear mode bits.
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
