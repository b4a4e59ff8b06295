using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Files;

/// <summary>Audio clips in files.</summary>
internal static class ClipFile
{
    /// <exception cref="WrongRequestException">There is no such file, it is empty, or too large.</exception>
    public static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = InputFile.Open(path);
        if (file.Length is 0 or > Limits.ClipBytes)
        {
            throw new WrongRequestException($"{path}: {file.Length} bytes is not allowed; allowed: an audio clip of 1 to {Limits.ClipBytes} bytes");
        }
        var clip = new byte[file.Length];
        await file.ReadExactlyAsync(clip, cancellationToken);
        return clip;
    }
}
