using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Which file a path names at the moment, by device and inode: another file of the same name is another one. On other systems than
/// Linux only whether there is one.
/// </summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode)
{
    private const int CurrentFolder = -100;
    private const uint InodeOnly = 0x100;

    /// <summary>Null where there is no such file.</summary>
    public static FileIdentity? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
            return File.Exists(path) ? new(0, 0, 0) : null;
        // struct statx has one layout on every architecture; struct stat has not.
        var buffer = new byte[256];
        if (statx(CurrentFolder, Encoding.UTF8.GetBytes(path + '\0'), 0, InodeOnly, buffer) != 0)
            return null;
        return new(BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(136)), BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(140)),
            BinaryPrimitives.ReadUInt64LittleEndian(buffer.AsSpan(32)));
    }

    [DllImport("libc", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] buffer);
}
