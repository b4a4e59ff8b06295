using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Chatterbox.Client;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Sample.Notes;

[GenerateSerializer, Immutable, Alias("notes.Note")]
public sealed record Note([property: Id(0)] string Id, [property: Id(1)] string Title, [property: Id(2)] bool Done) : IKeyed;

[GenerateSerializer, Immutable, Alias("notes.View")]
public sealed record View([property: Id(0)] bool HidesDone);

[GenerateSerializer, Immutable, Alias("notes.State")]
public sealed record NotesState : SessionState
{
    [Id(0)] public ValueList<Note> Notes { get; init; } = [];
    [Id(1)] public View View { get; init; } = new(HidesDone: false);
    protected override AppDefinition Definition => NotesApp.Instance;
}

[GenerateSerializer, Immutable, Alias("notes.Change")]
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(WriteNote), "writeNote")]
[JsonDerivedType(typeof(EraseNote), "eraseNote")]
[JsonDerivedType(typeof(HideDone), "hideDone")]
public abstract record NotesChange : Change<NotesState>;

[GenerateSerializer, Immutable, Alias("notes.WriteNote")]
public sealed record WriteNote([property: Id(0)] Note Note) : NotesChange
{
    protected override SliceDefinition Target => NotesApp.Notes;
    protected override Rejection? Check(NotesState state, ValueList<string>? slices) =>
        Note.Title is { Length: > 0 and <= 200 } ? null : Rejection.OfText("title", Note.Title, "1 to 200 characters");

    protected override NotesState Apply(NotesState state) =>
        state.Notes.Upsert(Note) is var notes && notes == state.Notes ? state : state with { Notes = notes };
}

[GenerateSerializer, Immutable, Alias("notes.EraseNote")]
public sealed record EraseNote([property: Id(0)] string Id) : NotesChange
{
    protected override SliceDefinition Target => NotesApp.Notes;
    protected override NotesState Apply(NotesState state) => state.Notes.IndexOf(Id) is >= 0 and var index
        ? state with { Notes = state.Notes.RemoveAt(index) }
        : state;
}

[GenerateSerializer, Immutable, Alias("notes.HideDone")]
public sealed record HideDone([property: Id(0)] bool Hides) : NotesChange
{
    protected override SliceDefinition Target => NotesApp.View;
    protected override NotesState Apply(NotesState state) =>
        Hides == state.View.HidesDone ? state : state with { View = new(Hides) };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(ValueList<Note>)), JsonSerializable(typeof(Note)), JsonSerializable(typeof(View))]
[JsonSerializable(typeof(NotesState)), JsonSerializable(typeof(NotesChange))]
internal sealed partial class NotesJson : JsonSerializerContext;

public sealed class NotesApp : AppDefinition<NotesState, NotesChange>
{
    public static readonly SliceDefinition<NotesState, ValueList<Note>> Notes = new("notes", state => state.Notes,
        (state, notes) => state with { Notes = notes }, NotesJson.Default.ValueListNote);
    public static readonly SliceDefinition<NotesState, View> View = new("view", state => state.View,
        (state, view) => state with { View = view }, NotesJson.Default.View);

    private NotesApp() : base("notes", new(), NotesJson.Default.NotesChange, Notes, View) { }
    public static NotesApp Instance { get; } = new();
    public static SiloApp InSilo { get; } = new(Instance);
}

/// <summary>In version 0 a note had a text, which is its title now.</summary>
public sealed class TextBecameTitle : ISliceMigration
{
    public int FromVersion => 0;

    public JsonNode Migrate(string slice, JsonNode state)
    {
        if (slice == NotesApp.Notes.Name)
            foreach (var note in state.AsArray().OfType<JsonObject>())
                if (note.Remove("text", out var text)) note["title"] = text;
        return state;
    }
}

public static class NotesClient
{
    public static ISiloBuilder AddNotes(this ISiloBuilder silo) => silo
        .AddChatterboxStore(new() { Name = "notes", App = NotesApp.InSilo })
        .AddChatterboxMigration(NotesApp.InSilo, new TextBecameTitle());

    /// <summary>Writes a note, and prints all of them once it is stored.</summary>
    public static async Task WriteNoteAsync(this ChatterboxClient client, string user, string title, TextWriter output)
    {
        await using var store = await client.OpenAsync(new SessionId(user, "notes"), NotesApp.Instance);
        var receipt = await store.DispatchAsync(new WriteNote(new($"{store.State.Notes.Count + 1}", title, Done: false)));
        await receipt.Durable;
        foreach (var (id, shown, _) in store.State.Notes) await output.WriteLineAsync($"{id}. {shown}");
    }
}
