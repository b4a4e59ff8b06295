using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Files;

/// <summary>Files that a verb writes: whole, or not at all.</summary>
internal static class OutputFile
{
    private static readonly string[] StandardOutput = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

    public static Option<string> Option { get; } = new("--output", "-o")
    {
        Description = "Where to write it; - is standard output.",
        HelpName = "file",
        Required = true,
    };

    /// <summary>
    /// Writes a temporary file beside the target and renames it at the end, so that the old file stays until the new one is
    /// complete. An existing file keeps its mode, owner and links; a pipe or a device is written directly.
    /// </summary>
    /// <exception cref="WrongRequestException">The file cannot be written.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        if (StandardOutput.Contains(path))
        {
            await using var output = Console.OpenStandardOutput();
            await WriteToAsync(output, "standard output", write);
            return;
        }
        if (Directory.Exists(path)) throw new WrongRequestException($"{path}: is a directory");
        var exists = File.Exists(path);
        if (exists && !IsRegular(path))
        {
            await using var device = Open(path, path, FileMode.Open);
            await WriteToAsync(device, path, write);
            return;
        }
        path = FollowLink(path);
        if (TryOpenBeside(path, exists) is { } file) await WriteBesideAsync(path, file, exists, write);
        else await WriteInPlaceAsync(path, write);
    }

    private static bool IsRegular(string path)
    {
        if (UnixFile.Of(path) is { } file) return file.IsRegular;
        return !Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);
    }

    // No file can be created beside it; the file itself may still be writable.
    private static FileStream? TryOpenBeside(string path, bool exists)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read,
            BufferSize = 0 };
        // Not readable by anyone who cannot read the file that it replaces.
        if (exists && !OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            return new(temporary, options);
        }
        catch (Exception failure) when (IsOfFile(failure))
        {
            if (exists) return null;
            throw Wrong(path, failure.Message.Replace(temporary, path, StringComparison.Ordinal));
        }
    }

    private static async Task WriteBesideAsync(string path, FileStream file, bool exists, Func<Stream, Task> write)
    {
        try
        {
            await using (file) await WriteToAsync(file, path, write);
            if (!exists) File.Move(file.Name, path, overwrite: true);
            else if (!TryReplace(path, file.Name))
            {
                await using var whole = new FileStream(file.Name, FileMode.Open, FileAccess.Read);
                await WriteInPlaceAsync(path, output => whole.CopyToAsync(output));
            }
        }
        finally
        {
            File.Delete(file.Name);
        }
    }

    // A file with another owner, several links or a mount on it cannot be replaced by a rename.
    private static bool TryReplace(string path, string temporary)
    {
        if (OperatingSystem.IsWindows() || UnixFile.Of(path) is not { Links: 1 } old) return false;
        try
        {
            if (!old.TryMakeAlike(temporary, File.GetUnixFileMode(path))) return false;
            File.Move(temporary, path, overwrite: true);
            return true;
        }
        catch (Exception failure) when (IsOfFile(failure))
        {
            return false;
        }
    }

    private static async Task WriteInPlaceAsync(string path, Func<Stream, Task> write)
    {
        await using var file = Open(path, path, FileMode.Open);
        await WriteToAsync(file, path, write);
        file.SetLength(file.Position);
    }

    private static FileStream Open(string path, string actual, FileMode mode)
    {
        try
        {
            return new(actual, mode, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception failure) when (IsOfFile(failure))
        {
            throw Wrong(path, failure.Message);
        }
    }

    private static bool IsOfFile(Exception failure) =>
        failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    // A symbolic link stays; its target is replaced.
    private static string FollowLink(string path)
    {
        try
        {
            return File.ResolveLinkTarget(Path.GetFullPath(path), returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            return path;
        }
    }

    private static async Task WriteToAsync(Stream file, string name, Func<Stream, Task> write)
    {
        var guarded = new BufferedStream(new DiskErrors(file, failure => Wrong(name, failure.Message)), 64 * 1024);
        await write(guarded);
        await guarded.FlushAsync();
    }

    private static WrongRequestException Wrong(string path, string problem) =>
        new($"{path}: cannot be written: {problem.TrimEnd('.')}");
}
