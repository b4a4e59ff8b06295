using Chatterbox.Client;
using Chatterbox.Grains;
using Chatterbox.Sample.Notes;
using Chatterbox.Silo;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;

// A silo and its client in one process: dotnet run --project samples/Chatterbox.Sample.Notes -- alice "Buy milk"
var builder = WebApplication.CreateBuilder();
var settings = SiloSettings.Read(builder.Configuration);
DatabaseSchema.Migrate(settings.Database);
builder.AddChatterbox(settings);
builder.Host.UseOrleans(silo => silo.AddNotes());
await using var app = builder.Build();
await app.StartAsync();
await app.Services.GetRequiredService<ChatterboxClient>().WriteNoteAsync(args[0], args[1], Console.Out);
await app.StopAsync();

public static class NotesClient
{
    public static ISiloBuilder AddNotes(this ISiloBuilder silo) => silo
        .AddChatterboxStore(new() { Name = "notes", App = NotesApp.InSilo })
        .AddChatterboxMigration(NotesApp.InSilo, new TextBecameTitle());

    /// <summary>Writes a note, and prints all of them once it is stored.</summary>
    public static async Task WriteNoteAsync(this ChatterboxClient client, string user, string title, TextWriter output)
    {
        await using var store = await client.OpenAsync(new Chatterbox.SessionId(user, "notes"), NotesApp.Instance);
        var receipt = await store.DispatchAsync(new WriteNote(new($"{store.State.Notes.Count + 1}", title, Done: false)));
        await receipt.Durable;
        foreach (var (id, shown, _) in store.State.Notes) await output.WriteLineAsync($"{id}. {shown}");
    }
}
