using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Files;

/// <summary>Audio clips in files.</summary>
internal static class ClipFile
{
    /// <exception cref="WrongRequestException">The file is missing, empty, or too large.</exception>
    public static async Task<byte[]> ReadAsync(SessionRun run, string path)
    {
        await using var file = await run.ReadAsync(path);
        if (file.Length is 0 or > Limits.ClipBytes)
        {
            throw new WrongRequestException(
                $"{path}: must be an audio clip of 1 to {Limits.ClipBytes} bytes, was {file.Length} bytes");
        }
        var clip = new byte[file.Length];
        await file.ReadExactlyAsync(clip, run.Token);
        return clip;
    }
}
