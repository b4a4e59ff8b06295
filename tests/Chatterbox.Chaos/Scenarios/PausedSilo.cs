using Chatterbox.Chaos.Faults;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Scenarios;

/// <summary>
/// A silo is paused with an unsaved change for longer than failure detection. Its client sends the change again elsewhere, is
/// told that it is durable and closes; another client removes it durably; the silo resumes. What was removed has to stay removed.
/// </summary>
internal sealed class PausedSilo(int rounds, string folder, Action<string> log)
{
    private const string Kept = "kept";
    private const string Removed = "removed";

    /// <summary>In which a resumed silo has tried to save what it held, or has ended.</summary>
    private static readonly TimeSpan Resuming = TimeSpan.FromSeconds(8);

    private readonly List<Finding> _findings = [];
    private int _sentAgain;

    public async Task<IReadOnlyList<Finding>> RunAsync()
    {
        await using var cluster = await Cluster.StartAsync(folder, log, Sessions.SlowSaving);
        for (var round = 0; round < rounds; round++)
        {
            try
            {
                await RoundAsync(cluster, cluster.Silos[round % cluster.Silos.Count], Sessions.Users("paused", round));
            }
            catch (TimeoutException late)
            {
                _findings.Add(new(FindingKind.Stuck, $"round {round}",
                    $"round {round}: {late.StackTrace?.Split('\n').LastOrDefault()?.Trim()}"));
            }
            if (!await cluster.AreReadyAsync())
            {
                _findings.Add(new(FindingKind.Stuck, $"ready {round}", $"round {round}: a silo is not ready"));
            }
        }
        var alone = await cluster.StartAloneAsync();
        await using var stored = Clients.Connection.Open([alone.Gateway], options => options.ClusterId = Cluster.Alone);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var store in await Sessions.OpenAsync(stored, Sessions.Users("paused", round)))
            {
                Judge(store, "in the database");
            }
        }
        Report.Print($"A silo paused with unsaved changes, {rounds} rounds",
        [
            ("removals acknowledged durable", Report.Text(rounds * Sessions.Count)),
            ("of changes sent again elsewhere", Report.Text(_sentAgain)),
            ("silos that ended by themselves", Report.Text(cluster.Silos.Sum(silo => silo.OwnEnds))),
        ], _findings);
        return _findings;
    }

    private async Task RoundAsync(Cluster cluster, SiloProcess silo, string[] users)
    {
        await using var near = Sessions.Connect(silo.Gateway);
        await using var writing = Sessions.Connect(cluster.Gateways);
        await using var removing = Sessions.Connect(cluster.Gateways);
        // A session is activated where its first client is connected.
        var placed = await Sessions.OpenAsync(near, users);
        var writers = await Sessions.OpenAsync(writing, users);
        var removers = await Sessions.OpenAsync(removing, users);
        await Sessions.DurablyAsync(writers, Kept, "1");

        var changes = await Sessions.ApplyAsync(writers, Removed, "1");
        await silo.PauseAsync();
        var unsaved = changes.Count(change => !change.Durable.IsCompleted);
        var paused = Line.Now;
        await Task.WhenAll(changes.Select(async (change, number) =>
        {
            await change.Durable;
            // Where the session is elsewhere nothing had to be sent again.
            if (Line.Now - paused > TimeSpan.FromSeconds(4)) Interlocked.Increment(ref _sentAgain);
            await writers[number].DisposeAsync();
        })).WaitAsync(Sessions.Timeout, TimeProvider.System);
        await Sessions.DurablyAsync(removers, Removed, null);
        log($"silo {silo.Number} was paused for {(Line.Now - paused).TotalSeconds:N1} s with {unsaved} unsaved changes");
        await silo.ResumeAsync();

        await Task.Delay(Resuming, TimeProvider.System);
        await using var fresh = Sessions.Connect(cluster.Gateways);
        var stores = await Sessions.OpenAsync(fresh, users);
        foreach (var store in stores) Judge(store, "in a fresh client");
        foreach (var store in removers) Judge(store, "in the client that removed it");
        await Sessions.BecomesAsync(() => placed.All(store => !store.Has(Removed)), Verdict.UnseenBound);
        foreach (var store in placed) Judge(store, "in a client of the paused silo");
    }

    private void Judge(Client.ChatterboxStore store, string where)
    {
        var user = store.Session.UserId;
        if (store.Has(Removed)) _findings.Add(new(FindingKind.Doubled, user, $"{user}: what was removed is back {where}"));
        if (!store.Has(Kept)) _findings.Add(new(FindingKind.Lost, user, $"{user}: what was durable is missing {where}"));
    }
}
