using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Import;

/// <summary>Notes of an import's changes to a document, bounded in number.</summary>
/// <param name="isStrict">Whether the first value that needs repair refuses the import.</param>
internal sealed class ImportNotes(bool isStrict)
{
    private const int ShownLength = 60;

    private readonly List<string> _notes = [];
    private readonly MendList _mends = new();

    /// <summary>Notes a part that an import always leaves out or converts.</summary>
    public void Note(string note)
    {
        if (_notes.Count < Limits.ImportMends) _notes.Add(note);
    }

    /// <summary>Notes an invalid value.</summary>
    /// <param name="place">Its path in the document.</param>
    /// <exception cref="ImportRefusedException">The import is strict.</exception>
    public void Mend(string place, string found, string allowed, string done)
    {
        if (isStrict) throw new ImportRefusedException(new(place, found, allowed));
        _mends.Add(place, found, allowed, done);
    }

    public ImportReport AddTo(ImportReport report) => report with
    {
        Notes = _notes.ToValueList(), Mends = _mends.Listed.ToValueList(), MoreMends = _mends.More,
    };

    /// <summary>A value in a message: its kind or its text.</summary>
    public static string Show(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "an object",
        JsonArray => "a list",
        _ when value.ToJsonString() is var text && text.Length <= ShownLength => text,
        _ => $"{value.ToJsonString()[..ShownLength]}…",
    };
}

/// <summary>The document is refused, with the reason.</summary>
internal sealed class ImportRefusedException(Rejection why) : Exception(why.Message)
{
    public Rejection Why => why;
}
