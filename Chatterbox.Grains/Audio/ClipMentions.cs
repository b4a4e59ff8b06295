using System.Buffers;
using System.Text;

namespace Chatterbox.Grains.Audio;

/// <summary>
/// Finds clips in stored bytes by their hash, independent of the schema: bytes of older and newer builds count as well.
/// </summary>
internal static class ClipMentions
{
    private const int HashLength = 64;
    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789abcdef"u8);

    /// <summary>
    /// Adds to <paramref name="found"/> the hashes that occur in the text. Reads the text once for any number of hashes.
    /// </summary>
    public static void Find(ReadOnlySpan<byte> text, IReadOnlySet<string> hashes, ISet<string> found)
    {
        while (text.Length >= HashLength)
        {
            var start = text.IndexOfAny(Digits);
            if (start < 0) return;
            text = text[start..];
            var length = text.IndexOfAnyExcept(Digits) is >= 0 and var end ? end : text.Length;
            for (var at = 0; at + HashLength <= length; at++)
            {
                var hash = Encoding.ASCII.GetString(text.Slice(at, HashLength));
                if (hashes.Contains(hash)) found.Add(hash);
            }
            text = text[length..];
        }
    }
}
