namespace Chatterbox;

/// <summary>Why a request was refused: which field, the value it had, and what is allowed.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.Rejection")]
public sealed record Rejection(
    [property: Id(0)] string Field,
    [property: Id(1)] string Value,
    [property: Id(2)] string Allowed)
{
    private const int ShownLength = 80;

    public string Message => $"{Field}: {Value} is not allowed; allowed: {Allowed}";

    /// <summary>A rejection that quotes a text value, cut to a length fit for a message.</summary>
    public static Rejection OfText(string field, string? value, string allowed) =>
        new(field, value is null ? "nothing" : $"'{Shorten(value)}'", allowed);

    private static string Shorten(string value) =>
        value.Length <= ShownLength ? value : $"{value[..ShownLength]}…' ({value.Length} characters) '";
}
