using System.Diagnostics;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>
/// A file system of a few megabytes, for databases that run out of room or may not write. Mounting one needs root.
/// </summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string filler;

    private SmallDisk(string path)
    {
        Folder = path;
        filler = Path.Combine(path, "filler");
    }

    /// <summary>Why there is none here; null if there is.</summary>
    public static string? Missing { get; } = WhyMissing();

    public string Folder { get; }

    public static SmallDisk Mount(int megabytes)
    {
        var folder = Directory.CreateTempSubdirectory("chatterbox-disk-").FullName;
        if (Run("mount", ["-t", "tmpfs", "-o", $"size={megabytes}m,mode=777", "tmpfs", folder]) is { } failure)
        {
            Directory.Delete(folder);
            throw new InvalidOperationException(failure);
        }
        return new(folder);
    }

    /// <summary>Not a byte is left.</summary>
    public void Fill()
    {
        using var file = new FileStream(filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true) file.Write(new byte[4096]);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    public void MakeRoom() => File.Delete(filler);

    /// <summary>Nobody may have a file open for writing.</summary>
    public void SetReadOnly(bool readOnly)
    {
        if (Run("mount", ["-o", readOnly ? "remount,ro" : "remount,rw", Folder]) is { } failure)
        {
            throw new InvalidOperationException(failure);
        }
    }

    public void Dispose()
    {
        Run("umount", ["-l", Folder]);
        Directory.Delete(Folder);
    }

    private static string? WhyMissing()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            return "a small file system can be mounted by root on Linux only";
        }
        try
        {
            using var disk = Mount(1);
            return null;
        }
        catch (InvalidOperationException e)
        {
            return $"a small file system cannot be mounted here: {e.Message}";
        }
    }

    private static string? Run(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : error;
    }
}
