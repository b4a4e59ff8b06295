using Chatterbox.Client;
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
