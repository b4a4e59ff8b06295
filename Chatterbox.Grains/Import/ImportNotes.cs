using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Import;

/// <summary>What an import changes on the way in. Bounded, however much is wrong with a document.</summary>
/// <param name="isStrict">The first value that would have to be mended refuses the import.</param>
internal sealed class ImportNotes(bool isStrict)
{
    private const int ShownLength = 60;

    private readonly List<string> _notes = [];
    private readonly MendList _mends = new();

    /// <summary>Something that an import never takes, or takes in another form, as it should be.</summary>
    public void Note(string note)
    {
        if (_notes.Count < Limits.ImportMends) _notes.Add(note);
    }

    /// <summary>A value was not allowed as it stood.</summary>
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

    /// <summary>A value in a message: what kind it is, or what it says.</summary>
    public static string Show(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "an object",
        JsonArray => "a list",
        _ when value.ToJsonString() is var text && text.Length <= ShownLength => text,
        _ => $"{value.ToJsonString()[..ShownLength]}…",
    };
}

/// <summary>The document is not imported, and why.</summary>
internal sealed class ImportRefusedException(Rejection why) : Exception(why.Message)
{
    public Rejection Why => why;
}
