using System.Buffers;
using System.Text;

namespace Chatterbox;

/// <summary>Checks ids, names and texts. Each check returns null, or the rejection with the allowed values.</summary>
internal static class Text
{
    private static readonly SearchValues<char> StoreCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>The rules of user ids. Ids are compared by code point and never changed.</summary>
    public static Rejection? CheckUserId(string? value) =>
        IsLine(value, Limits.UserIdLength) && !value!.Contains('/')
            ? null
            : Rejection.OfText("userId", value,
                $"1 to {Limits.UserIdLength} characters without '/', control characters or white space at the ends");

    public static Rejection? CheckStore(string? value) =>
        value is { Length: > 0 and <= Limits.StoreLength } && !value.AsSpan().ContainsAnyExcept(StoreCharacters)
            ? null
            : Rejection.OfText("store", value, $"1 to {Limits.StoreLength} of a-z, 0-9 and '-'");

    public static Rejection? CheckId(string field, string? value) => Check(field, value, Limits.IdLength);

    public static Rejection? CheckName(string field, string? value) => Check(field, value, Limits.NameLength);

    public static Rejection? CheckMediaType(string field, string? value) =>
        value is { Length: > 0 and <= Limits.MediaTypeLength } && value.All(character => character is > ' ' and <= '~')
            ? null
            : Rejection.OfText(field, value,
                $"a media type of 1 to {Limits.MediaTypeLength} ASCII characters, such as audio/wav");

    private static Rejection? Check(string field, string? value, int longest) =>
        IsLine(value, longest) ? null : Rejection.OfText(field, value, Line(longest));

    private static string Line(int longest) => $"1 to {longest} characters without control characters or white space at the ends";

    private static bool IsLine(string? value, int longest) =>
        value is { Length: > 0 } && value.Length <= longest && IsWellFormed(value)
        && !value.Any(char.IsControl) && value.Trim().Length == value.Length;

    /// <summary>Any text of <paramref name="shortest"/> to <paramref name="longest"/> Unicode code points.</summary>
    public static Rejection? CheckText(string field, string? value, int shortest, int longest)
    {
        var allowed = $"{shortest} to {longest} characters of valid Unicode";
        if (value is null || !IsWellFormed(value)) return Rejection.OfText(field, value, allowed);
        var length = value.EnumerateRunes().Count();
        return length >= shortest && length <= longest ? null : Rejection.OfLength(field, value, length, allowed);
    }

    // A lone surrogate cannot be stored as UTF-8: it would be read as another character.
    public static bool IsWellFormed(string value)
    {
        for (var at = 0; at < value.Length; at++)
        {
            if (!char.IsSurrogate(value[at])) continue;
            if (!Rune.TryGetRuneAt(value, at, out _)) return false;
            at++;
        }
        return true;
    }
}
