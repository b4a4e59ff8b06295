using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Chatterbox.Client.Backup;

/// <summary>A clip as text: base64, or a <c>data:</c> URL of it.</summary>
internal static class ClipText
{
    private static ReadOnlySpan<byte> DataScheme => "data:"u8;

    /// <summary>Shorter texts are never taken as audio.</summary>
    private const int ShortestBase64 = 64;

    /// <summary>Base64 characters that are enough to recognize a clip's format.</summary>
    private const int Head = 64;

    public static bool IsDataUrl(ref Utf8JsonReader text) => text.ValueSpan.StartsWith(DataScheme);

    /// <summary>
    /// Whether a text is certainly audio: a <c>data:</c> URL of audio, or base64 that starts with an audio file's signature.
    /// </summary>
    public static bool IsAudio(ref Utf8JsonReader text)
    {
        var bytes = text.ValueSpan;
        if (bytes.StartsWith("data:audio/"u8) || bytes.StartsWith("data:video/"u8)) return true;
        Span<byte> head = stackalloc byte[Base64.GetMaxDecodedFromUtf8Length(Head)];
        return bytes.Length >= ShortestBase64
            && Base64.DecodeFromUtf8(bytes[..Head], head, out _, out var length, isFinalBlock: false) is OperationStatus.Done
            && AudioMediaType.Of(head[..length]) is not AudioMediaType.Unknown;
    }

    /// <summary>The clip and its media type; null when the text is empty.</summary>
    /// <exception cref="BackupFormatException">The text is neither base64 nor a <c>data:</c> URL, or the clip is too
    /// large.</exception>
    public static (byte[] Clip, string MediaType)? Decode(ref Utf8JsonReader text, JsonPlace place)
    {
        byte[]? unescaped = null;
        try
        {
            var bytes = text.ValueSpan;
            if (text.ValueIsEscaped)
            {
                unescaped = ArrayPool<byte>.Shared.Rent(bytes.Length);
                bytes = unescaped.AsSpan(0, text.CopyString(unescaped));
            }
            return Decode(bytes, place);
        }
        finally
        {
            if (unescaped is not null) ArrayPool<byte>.Shared.Return(unescaped);
        }
    }

    private static (byte[] Clip, string MediaType)? Decode(ReadOnlySpan<byte> text, JsonPlace place)
    {
        string? mediaType = null;
        if (text.StartsWith(DataScheme)) mediaType = CutHead(ref text, place);
        if (text.IsEmpty) return null;

        // Exactly sized, since clips are large; only text with line breaks decodes to fewer bytes.
        var padding = text.EndsWith("=="u8) ? 2 : text.EndsWith("="u8) ? 1 : 0;
        var clip = new byte[Math.Max(0, Base64.GetMaxDecodedFromUtf8Length(text.Length) - padding)];
        if (Base64.DecodeFromUtf8(text, clip, out var read, out var length) is not OperationStatus.Done)
        {
            throw BackupFormatException.At(place.ToString(), $"{Show(text, read)} at character {read + 1} of {text.Length}",
                "base64 (A-Z a-z 0-9 + / and = at the end, a multiple of four characters) or a data: URL of it");
        }
        if (length > Limits.ClipBytes)
        {
            throw BackupFormatException.At(place.ToString(), $"{length}", $"a clip of at most {Limits.ClipBytes} bytes");
        }
        if (clip.Length != length) Array.Resize(ref clip, length);
        return length == 0 ? null : (clip, mediaType is null or "" ? AudioMediaType.Of(clip) : mediaType);
    }

    // data:audio/wav;base64,UklGR… Parameters such as codecs= are dropped.
    private static string CutHead(ref ReadOnlySpan<byte> text, JsonPlace place)
    {
        var comma = text.IndexOf((byte)',');
        var head = comma < 0 ? "" : Encoding.ASCII.GetString(text[DataScheme.Length..comma]);
        if (!head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
        {
            throw BackupFormatException.At(place.ToString(), $"a data: URL that begins with {Show(text, 0)}",
                "data:<media type>;base64,<clip>");
        }
        text = text[(comma + 1)..];
        return head.Split(';')[0].Trim().ToLowerInvariant();
    }

    private static string Show(ReadOnlySpan<byte> text, int from)
    {
        const int Shown = 20;
        var rest = text[Math.Min(from, text.Length)..];
        var shown = Encoding.UTF8.GetString(rest[..Math.Min(Shown, rest.Length)]).ReplaceLineEndings(" ");
        return $"'{shown}{(rest.Length > Shown ? "…" : "")}'";
    }
}
