using Chatterbox.Chaos.Faults;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Scenarios;

/// <summary>
/// Two activations of one session on purpose. A silo is paused with an unsaved change; others attach and the session is activated
/// elsewhere, from rows without the change; the silo resumes and saves, and its client is told "durable". Everybody has to see it
/// soon, though nobody writes to that slice again.
/// </summary>
internal sealed class StaleActivation(int rounds, string folder, Action<string> log)
{
    private const string Earlier = "earlier";
    private const string Hidden = "hidden";

    private readonly List<Finding> _findings = [];
    private int _moved;
    private int _durable;

    public async Task<IReadOnlyList<Finding>> RunAsync()
    {
        await using var cluster = await Cluster.StartAsync(folder, log, Sessions.SlowSaving);
        for (var round = 0; round < rounds; round++)
        {
            try
            {
                await RoundAsync(cluster, cluster.Silos[round % cluster.Silos.Count], Sessions.Users("stale", round));
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
        Report.Print($"Two activations of one session, {rounds} rounds",
        [
            ("changes made", Report.Text(rounds * Sessions.Count)),
            ("sessions activated elsewhere", Report.Text(_moved)),
            ("acknowledged durable", Report.Text(_durable)),
            ("silos that ended by themselves", Report.Text(cluster.Silos.Sum(silo => silo.OwnEnds))),
        ], _findings);
        return _findings;
    }

    private async Task RoundAsync(Cluster cluster, SiloProcess silo, string[] users)
    {
        // It can reach no other silo: what it is told comes from this one, or after it has been started again.
        await using var near = Sessions.Connect(silo.Gateway);
        var writers = await Sessions.OpenAsync(near, users);
        await Sessions.DurablyAsync(writers, Earlier, "1");
        var changes = await Sessions.ApplyAsync(writers, Hidden, "1");
        await silo.PauseAsync();
        var paused = Line.Now;

        await using var elsewhere = Sessions.Connect(cluster.Silos.Where(other => other != silo).Select(other => other.Gateway));
        var others = await Sessions.OpenAsync(elsewhere, users);
        _moved += others.Count(store => !store.Has(Hidden));
        log($"silo {silo.Number} was paused for {(Line.Now - paused).TotalSeconds:N1} s; "
            + $"{others.Count(store => !store.Has(Hidden))} sessions are elsewhere");
        await silo.ResumeAsync();

        await Task.WhenAll(users.Select((_, number) => SeenAsync(cluster, writers[number], changes[number], others[number])));
    }

    private async Task SeenAsync(Cluster cluster, ChatterboxStore writer, PendingChange change, ChatterboxStore other)
    {
        var user = writer.Session.UserId;
        if (await Task.WhenAny(change.Durable, Task.Delay(Sessions.Timeout, TimeProvider.System)) != change.Durable)
        {
            _findings.Add(new(FindingKind.Stuck, user, $"{user}: the change has not become durable"));
            return;
        }
        Interlocked.Increment(ref _durable);
        if (!await Sessions.BecomesAsync(() => other.Has(Hidden), Verdict.UnseenBound)) Find("a client on another silo");
        await using var fresh = Sessions.Connect(cluster.Gateways);
        var store = await fresh.Client.OpenAsync(writer.Session).WaitAsync(Sessions.Timeout, TimeProvider.System);
        if (!store.Has(Hidden)) Find("a fresh client");
        if (!writer.Has(Hidden)) Find("its own client");

        void Find(string who)
        {
            lock (_findings)
            {
                _findings.Add(new(FindingKind.Unseen, user, $"{user}: {who} does not show a change that is durable"));
            }
        }
    }
}
