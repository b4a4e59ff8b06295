using System.Text;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>Splits a text too long for one chunk at natural pauses.</summary>
internal static class TextPieces
{
    private const string SentenceEnds = ".!?…。！？\n";

    /// <summary>The length in the unit of a chunk's limit.</summary>
    public static int Length(string text) => text.EnumerateRunes().Count();

    /// <summary>Pieces of at most this length, which together are the text except for white space at the cuts.</summary>
    public static IEnumerable<string> Cut(string text, int longest)
    {
        var runes = text.EnumerateRunes().ToArray();
        for (var start = 0; start < runes.Length;)
        {
            var end = End(runes, start, longest);
            var piece = string.Concat(runes[start..end]);
            start = end;
            if (piece.Trim() is { Length: > 0 } trimmed) yield return trimmed;
        }
    }

    // After a sentence, or else after a word, in the second half of the allowed length; or else anywhere.
    private static int End(Rune[] runes, int start, int longest)
    {
        if (runes.Length - start <= longest) return runes.Length;
        var word = -1;
        for (var end = start + longest; end > start + longest / 2; end--)
        {
            if (!Rune.IsWhiteSpace(runes[end])) continue;
            if (SentenceEnds.Contains(runes[end - 1].ToString(), StringComparison.Ordinal)) return end;
            if (word < 0) word = end;
        }
        return word < 0 ? start + longest : word;
    }
}
