// A client in one file: shows a user's session as it changes, on this device and others, and takes simple commands.
// It works while no silo can be reached: changes made meanwhile are kept on disk and sent later, even if this program is killed.
//
//   dotnet run --project samples/Chatterbox.Sample.Console -- [user] [host:port]

using System.Globalization;
using System.Net;
using Chatterbox;
using Chatterbox.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spectre.Console;
using Spectre.Console.Rendering;

const string Help = "add TEXT | rm ID | set NAME VALUE | flush | recover | forget | quit";

var session = new SessionId(args.ElementAtOrDefault(0) ?? "alice");
var builder = Host.CreateEmptyApplicationBuilder(null);
builder.AddChatterboxClient(options =>
{
    options.Gateways.Add(IPEndPoint.Parse(args.ElementAtOrDefault(1) ?? "127.0.0.1:30000"));
    options.Device = $"sample on {Environment.MachineName}";
    options.OutboxDirectory =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "chatterbox-sample", "outbox");
    options.KeepConnecting = true;
    options.CloseTimeout = TimeSpan.FromSeconds(3);
});
var host = builder.Build();
_ = host.StartAsync(); // Not awaited: it connects in the background, and the store works before that.
await using var client = host.Services.GetRequiredService<ChatterboxClient>();
await using var store = client.Open(session);

var (message, typed) = (Help, "");
using var redraw = new SemaphoreSlim(1);
using var quit = new CancellationTokenSource();
store.Persistence.StatusChanged += Redraw;
store.ChangeRejected += refused => Say(refused.Message);
using var changes = store.Select(state => state).Subscribe((_, _) => Redraw());
_ = Task.Run(ReadKeysAsync);

await AnsiConsole.Live(Screen()).StartAsync(async live =>
{
    while (!quit.IsCancellationRequested)
    {
        await redraw.WaitAsync(TimeSpan.FromSeconds(1));
        live.UpdateTarget(Screen());
    }
});
AnsiConsole.MarkupLine(store.Persistence.Outbox is { Changes: > 0 } left
    ? $"[yellow]{left.Changes} change(s) are kept on this device and sent the next time.[/]" : "Everything is saved.");

void Redraw()
{
    if (redraw.CurrentCount == 0) redraw.Release();
}

void Say(string what)
{
    message = what;
    Redraw();
}

async Task ReadKeysAsync()
{
    while (!quit.IsCancellationRequested)
    {
        var key = Console.IsInputRedirected ? default : Console.ReadKey(intercept: true);
        if (Console.IsInputRedirected) typed = Console.ReadLine() ?? "quit";
        if (Console.IsInputRedirected || key.Key == ConsoleKey.Enter)
        {
            (var line, typed) = (typed.Trim(), "");
            _ = RunAsync(line);
        }
        else if (key.Key == ConsoleKey.Backspace) typed = typed[..Math.Max(0, typed.Length - 1)];
        else if (!char.IsControl(key.KeyChar)) typed += key.KeyChar;
        Redraw();
        await Task.Yield();
    }
}

async Task RunAsync(string line)
{
    var words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
    try
    {
        switch (words)
        {
            case ["add", ..] when line.Length > 4:
                var preferences = store.State.Preferences;
                var id = Guid.NewGuid().ToString("N")[..6];
                await DoAsync(new UpsertChunk(new() { Id = id, Text = line[4..], Engine = preferences.Engine,
                    Parameters = preferences.Parameters, CreatedAt = TimeProvider.System.GetUtcNow() }));
                break;
            case ["rm", var which]: await DoAsync(new RemoveChunk(which)); break;
            case ["set", "temperature", var value]: await DoAsync(Parameter(new() { Temperature = Number(value) })); break;
            case ["set", "cfg_weight", var value]: await DoAsync(Parameter(new() { CfgWeight = Number(value) })); break;
            case ["set", "exaggeration", var value]: await DoAsync(Parameter(new() { Exaggeration = Number(value) })); break;
            case ["set", "seed", var value]: await DoAsync(Parameter(new() { Seed = (long)Number(value) })); break;
            case ["flush"]: await store.Persistence.FlushAsync(); Say("Everything is saved."); break;
            case ["recover"]:
                var report = await store.Recovery.RecoverFromCrashAsync();
                Say($"{report.Chunks.Count} chunk(s) are ready to run again.");
                break;
            case ["forget"]: await store.Recovery.ClearRecoveryStateAsync(); Say("Interrupted work was dropped."); break;
            case ["quit"]: await quit.CancelAsync(); Redraw(); break;
            default: Say(Help); break;
        }
    }
    catch (Exception failure)
    {
        Say(failure.Message);
    }
}

// Accepted and shown; the status line tells whether it is saved.
async Task DoAsync(AppStateChange change)
{
    await store.EnqueueAsync(change);
    Say(Help);
}

UpdateParameters Parameter(TtsParameters patch) => new(store.State.Preferences.Engine, patch);

double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

IRenderable Screen()
{
    var (save, outbox) = (store.Persistence.Status, store.Persistence.Outbox);
    var connection = store.Persistence.Unreachable is { } why ? $"[red]unreachable: {Short(why.Message)}[/]"
        : store.HasHydrated ? "[green]connected[/]"
        : "[yellow]loading[/]";
    var saving = save.State switch
    {
        SaveState.Saved => "[green]saved[/]",
        SaveState.Saving => $"[yellow]saving[/] ({outbox.Changes} change(s) waiting, kept on this device)",
        _ => $"[red]failing since {save.FailingSince:T}: {Short(save.Failure)}[/]",
    };
    var parameters = new Table().Title("Parameters").AddColumns("name", "value", "allowed");
    foreach (var (spec, value) in store.Parameters().Value.All)
        parameters.AddRow(spec.Name, Markup.Escape($"{value}"), spec.Choices is null ? spec.Allowed : "…");
    var chunks = new Table().Title("Chunks").AddColumns("id", "status", "text");
    foreach (var chunk in store.Chunks().Value.All.TakeLast(12)) chunks.AddRow(chunk.Id, $"{chunk.Status}", Short(chunk.Text));
    var crash = store.Recovery.Crash is { } found
        ? $"[red]A crash interrupted {found.Chunks.Count} chunk(s): recover, or forget[/]\n" : "";
    var notices = string.Concat(store.Notices.Select(notice => $"[yellow]{Short(notice)}[/]\n"));
    return new Rows(
        new Markup($"[bold]{Markup.Escape(session.Key)}[/] revision {store.Revision}: {connection}, {saving}"),
        new Markup($"Here: {Short(string.Join(", ", store.Clients.Select(each => each.Device)))}"),
        new Grid().AddColumn().AddColumn().AddRow(parameters, chunks),
        new Markup($"{crash}{notices}{Short(message)}\n> {Markup.Escape(typed)}_"));
}

string Short(string? text) => Markup.Escape(text is { Length: > 110 } ? $"{text[..110]}…" : text ?? "");
