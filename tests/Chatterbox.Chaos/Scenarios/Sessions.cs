using System.Net;
using Chatterbox.Chaos.Clients;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Scenarios;

/// <summary>What the scenarios with a paused silo have in common: many sessions at once, each with a chunk under test.</summary>
internal static class Sessions
{
    public const int Count = 10;

    /// <summary>Longer than failure detection and a client's retries on a busy machine.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>So long that a change stays unsaved while a silo is being paused.</summary>
    public static readonly (string, string)[] SlowSaving = [("WriteDelay", "00:00:02"), ("MaxWriteDelay", "00:00:05")];

    public static Connection Connect(params IEnumerable<IPEndPoint> gateways) =>
        Connection.Open(gateways, options => options.CallTimeout = TimeSpan.FromSeconds(3));

    public static string[] Users(string scenario, int round) =>
        [.. Enumerable.Range(0, Count).Select(number => $"{scenario}-{round}-{number}")];

    public static Task<ChatterboxStore[]> OpenAsync(Connection connection, string[] users) =>
        Task.WhenAll(users.Select(user => connection.Client.OpenAsync(new(user)))).WaitAsync(Timeout, TimeProvider.System);

    /// <summary>Returns once the change is applied, of all sessions.</summary>
    public static async Task<PendingChange[]> ApplyAsync(ChatterboxStore[] stores, string id, string? text)
    {
        var pending = await Task.WhenAll(stores.Select(store => store.EnqueueAsync(StateKeys.Set(StateKeys.Chunk(id), text))));
        await Task.WhenAll(pending.Select(change => change.Applied)).WaitAsync(Timeout, TimeProvider.System);
        return pending;
    }

    public static async Task DurablyAsync(ChatterboxStore[] stores, string id, string? text) =>
        await Task.WhenAll((await ApplyAsync(stores, id, text)).Select(change => change.Durable))
            .WaitAsync(Timeout, TimeProvider.System);

    public static bool Has(this ChatterboxStore store, string id) => store.State.Chunks.Any(chunk => chunk.Id == id);

    /// <summary>Waits for something, within a bound; false when it did not come.</summary>
    public static async Task<bool> BecomesAsync(Func<bool> isSo, TimeSpan within)
    {
        var since = Line.Now;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!isSo())
        {
            if (Line.Now - since > within) return false;
            await tick.WaitForNextTickAsync();
        }
        return true;
    }
}
