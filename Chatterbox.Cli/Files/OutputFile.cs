using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Files;

/// <summary>Files that a verb writes: whole, or not at all.</summary>
internal static class OutputFile
{
    private const string StandardOutput = "-";
    private const string Devices = "/dev/";

    public static Option<string> Option { get; } = new("--output", "-o")
    {
        Description = "Where to write it; - is standard output.",
        HelpName = "file",
        Required = true,
    };

    /// <summary>Writes beside the file and renames it at the end, so that what was there stays until the new one is whole.</summary>
    /// <exception cref="WrongRequestException">It cannot be written, and why.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        if (path == StandardOutput)
        {
            await using var output = Console.OpenStandardOutput();
            await WriteToAsync(output, "standard output", write);
            return;
        }
        if (Path.GetFullPath(path).StartsWith(Devices, StringComparison.Ordinal))
        {
            // A device is written to, not replaced.
            await using var device = Open(path, path, FileMode.Open);
            await WriteToAsync(device, path, write);
            return;
        }
        path = FollowLink(path);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        var file = Open(path, temporary, FileMode.CreateNew);
        try
        {
            await using (file) await WriteToAsync(file, path, write);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static FileStream Open(string path, string actual, FileMode mode)
    {
        if (Directory.Exists(path)) throw new WrongRequestException($"{path}: a directory; allowed: a file");
        try
        {
            return new(actual, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Wrong(path, failure.Message.Replace(actual, path, StringComparison.Ordinal));
        }
    }

    // The link stays one; what it points to is replaced.
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
        var guarded = new BufferedStream(new DiskErrors(file, name), 64 * 1024);
        await write(guarded);
        await guarded.FlushAsync();
    }

    private static WrongRequestException Wrong(string path, string problem) =>
        new($"{path}: {problem.TrimEnd('.')}; allowed: a file that can be written");

    /// <summary>A full disk here is not a service out of order: it is said of the file.</summary>
    private sealed class DiskErrors(Stream file, string name) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                await file.WriteAsync(buffer, cancellationToken);
            }
            catch (IOException failure)
            {
                throw Wrong(name, failure.Message);
            }
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            try
            {
                file.Write(buffer, offset, count);
            }
            catch (IOException failure)
            {
                throw Wrong(name, failure.Message);
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => file.FlushAsync(cancellationToken);

        public override void Flush() => file.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
