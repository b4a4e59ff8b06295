namespace Chatterbox;

/// <summary>Why a request was refused: the field, its allowed values, and the value found.</summary>
/// <param name="Allowed">Follows "must be".</param>
/// <param name="Value">Follows "was".</param>
[GenerateSerializer, Immutable, Alias("chatterbox.Rejection")]
public sealed record Rejection(
    [property: Id(0)] string Field,
    [property: Id(1)] string Value,
    [property: Id(2)] string Allowed)
{
    private const int ShownLength = 80;

    public string Message => $"{Field}: must be {Allowed}, was {Value}";

    /// <summary>A rejection that quotes a text value, truncated for the message.</summary>
    public static Rejection OfText(string field, string? value, string allowed) =>
        new(field, value is null ? "missing" : Quote(value, value.Length), allowed);

    /// <param name="characters">The value's length, in the limited unit.</param>
    internal static Rejection OfLength(string field, string value, int characters, string allowed) =>
        new(field, Quote(value, characters), allowed);

    private static string Quote(string value, int characters)
    {
        if (value.Length <= ShownLength) return $"'{value}'";
        // A lone surrogate is not valid text.
        var shown = char.IsHighSurrogate(value[ShownLength - 1]) ? ShownLength - 1 : ShownLength;
        return $"'{value[..shown]}…' ({characters} characters)";
    }
}
