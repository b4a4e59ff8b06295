using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Files;

/// <summary>Files that a verb reads.</summary>
internal static class InputFile
{
    /// <exception cref="WrongRequestException">It cannot be read, and why.</exception>
    public static FileStream Open(string path)
    {
        if (Directory.Exists(path)) throw Wrong(path, "a directory", "a file");
        try
        {
            return new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Wrong(path, "no such file", "a file that exists");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Wrong(path, unreadable.Message, "a file that can be read");
        }
    }

    private static WrongRequestException Wrong(string path, string what, string allowed) => new($"{path}: {what}; allowed: {allowed}");
}
