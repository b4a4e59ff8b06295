using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Files;

/// <summary>Files that a verb reads; <c>-</c> is standard input.</summary>
internal static class InputFile
{
    private const string StandardInput = "-";

    /// <summary>
    /// A file that can be read more than once: piped input is copied to a temporary file, which is deleted on close.
    /// </summary>
    /// <exception cref="WrongRequestException">The file cannot be read.</exception>
    public static async Task<Stream> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var input = Open(path);
        if (input.CanSeek) return input;
        await using (input)
        {
            var copy = TemporaryFile();
            try
            {
                await input.CopyToAsync(copy, cancellationToken);
                copy.Position = 0;
                return copy;
            }
            catch (Exception failure)
            {
                await copy.DisposeAsync();
                throw failure is IOException ? Wrong(path, $"cannot be read: {failure.Message}") : failure;
            }
        }
    }

    private static Stream Open(string path)
    {
        if (path == StandardInput) return Console.OpenStandardInput();
        if (Directory.Exists(path)) throw Wrong(path, "is a directory");
        try
        {
            return new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0,
                    FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Wrong(path, "no such file (- reads standard input)");
        }
        catch (Exception unreadable)
            when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Wrong(path, $"cannot be read: {unreadable.Message}");
        }
    }

    private static FileStream TemporaryFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(Path.Combine(Path.GetTempPath(), $"chatterbox-{Guid.NewGuid():N}.tmp"), options);
    }

    private static WrongRequestException Wrong(string path, string problem) => new($"{path}: {problem}");
}
