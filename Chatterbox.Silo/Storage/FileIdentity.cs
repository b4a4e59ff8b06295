using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Which file a path names at the moment, by device and inode: another file of the same name is another one. On other systems
/// than
/// Linux only whether there is one.
/// </summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode)
{
    /// <summary>Null where there is no such file.</summary>
    public static FileIdentity? Of(string path) => new NamedFile(path).Find();
}

/// <summary>A path that is looked up often: nothing is allocated for it. For one thread at a time.</summary>
internal sealed class NamedFile(string path)
{
    private const int CurrentFolder = -100;
    private const uint InodeOnly = 0x100;

    // struct statx has one layout on every architecture; struct stat has not.
    private const int InodeAt = 32;
    private const int DeviceMajorAt = 136;
    private const int DeviceMinorAt = 140;

    private readonly byte[] _terminated = Encoding.UTF8.GetBytes(path + '\0');
    private readonly byte[] _status = new byte[256];

    public string Path => path;

    /// <summary>Null where there is no such file.</summary>
    public FileIdentity? Find()
    {
        if (!OperatingSystem.IsLinux())
            return File.Exists(path) ? new(0, 0, 0) : null;
        if (statx(CurrentFolder, _terminated, 0, InodeOnly, _status) != 0)
            return null;
        return new(
            BinaryPrimitives.ReadUInt32LittleEndian(_status.AsSpan(DeviceMajorAt)),
            BinaryPrimitives.ReadUInt32LittleEndian(_status.AsSpan(DeviceMinorAt)),
            BinaryPrimitives.ReadUInt64LittleEndian(_status.AsSpan(InodeAt)));
    }

    [DllImport("libc", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] buffer);
}
