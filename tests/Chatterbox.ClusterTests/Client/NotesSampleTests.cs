using System.Text;
using Chatterbox.Sample.Notes;

namespace Chatterbox.ClusterTests.Client;

public sealed class NotesSampleTests
{
    private static readonly SessionId Notes = new("alice", "notes");

    [Fact(DisplayName = "[G3] an app of another's making runs on the stock silo: stored, synced, refused and recovered like any")]
    public async Task Notes_app()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(new() { ConfigureSilo = silo => silo.AddNotes() });
        var output = new StringWriter();
        await cluster.NewClient().WriteNoteAsync("alice", "Buy milk", output);
        await cluster.NewClient().WriteNoteAsync("alice", "Call Bob", output);
        Assert.Equal(["1. Buy milk", "1. Buy milk", "2. Call Bob"],
            output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

        await using var one = await cluster.NewClient().OpenAsync(Notes, NotesApp.Instance);
        await using var two = await cluster.NewClient().OpenAsync(Notes, NotesApp.Instance);
        await one.DispatchAsync(new HideDone(true));
        await foreach (var hides in two.Watch(state => state.View.HidesDone)) if (hides) break;
        var refused = await Assert.ThrowsAsync<ChangeRejectedException>(() =>
            one.DispatchAsync(new WriteNote(new("3", "", false))));
        Assert.Equal("title: must be 1 to 200 characters, was ''", refused.Message);
        await one.DispatchAsync(new EraseNote("1"));
        await one.Persistence.FlushAsync();

        await cluster.Cluster.DeactivateAsync(((GrainReference)cluster.Cluster.Client.GetGrain<IUserSessionGrain>(Notes.Key))
            .GrainId);
        await using var again = await cluster.NewClient().OpenAsync(Notes, NotesApp.Instance);
        Assert.Equal([new Note("2", "Call Bob", Done: false)], again.State.Notes);
        Assert.True(again.State.View.HidesDone);
        Assert.Equal(1, await again.Persistence.GetPersistedVersionAsync());
        await again.Persistence.ClearPersistedStateAsync();
        Assert.Empty(again.State.Notes);
        await again.History.UndoAsync();
        Assert.Single(again.State.Notes);
    }

    [Fact(DisplayName = "[G3] [M1] [R4] an app's own migration brings an exported state of its version 0 to the present one")]
    public async Task Notes_migration()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(new() { ConfigureSilo = silo => silo.AddNotes() });
        await using var store = await cluster.NewClient().OpenAsync(Notes, NotesApp.Instance);
        var export = """
            {"format":"chatterbox-export","formatVersion":1,"schemaVersion":0,
             "state":{"notes":[{"id":"1","text":"From before","done":true}]}}
            """;

        var report = await store.Backup.ImportAsync(new MemoryStream(Encoding.UTF8.GetBytes(export)));

        Assert.Null(report.Refused);
        Assert.Equal([new SliceItems("notes", 1)], report.Items);
        Assert.Equal([new Note("1", "From before", Done: true)], store.State.Notes);
        using var written = new MemoryStream();
        await store.Backup.ExportAsync(written);
        Assert.Contains("\"title\": \"From before\"", Encoding.UTF8.GetString(written.ToArray()), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[G1] a client of one app is refused by a store of another, with both named")]
    public async Task Other_app()
    {
        await using var cluster = await ChatterboxCluster.StartAsync(new() { ConfigureSilo = silo => silo.AddNotes() });

        var refused = await Assert.ThrowsAsync<SessionRefusedException>(() => cluster.NewClient().OpenAsync(Notes));

        Assert.Equal("app: must be notes, whose state this store holds, was 'tts'", refused.Message);
    }

    [Fact(DisplayName = "[G3] the sample is under 120 lines in all")]
    public void Length()
    {
        var folder = Path.Combine(Repository(), "samples", "Chatterbox.Sample.Notes");
        Assert.InRange(Directory.GetFiles(folder, "*.cs").Sum(file => File.ReadAllLines(file).Length), 1, 119);
    }

    private static string Repository([System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
