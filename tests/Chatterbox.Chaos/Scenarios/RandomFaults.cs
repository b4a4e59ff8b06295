using Chatterbox.Chaos.Clients;
using Chatterbox.Chaos.Faults;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos.Scenarios;

/// <summary>
/// Clients work while faults of all kinds happen at random; afterwards everything that was promised has to hold.
/// </summary>
internal sealed class RandomFaults(RunOptions options, string folder, Action<string> log)
{
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan AgreeTimeout = TimeSpan.FromSeconds(30);

    private readonly Ledger _ledger = new();
    private readonly List<Finding> _findings = [];
    private readonly string[] _users = ["ada", "bob", "cyd", "dan"];

    public async Task<IReadOnlyList<Finding>> RunAsync()
    {
        await using var cluster = await Cluster.StartAsync(folder, log);
        var faults = Schedule.Make(new Random(options.Seed), options.Length, options.LongestFault,
            cluster.Silos.Count, clients: 2)
            .Where(fault => fault.Kind is not FaultKind.StepClock || Programs.CanStepClocks).ToArray();
        if (!Programs.CanStepClocks) log("clocks are not stepped: libfaketime is not installed (apt-get install faketime)");

        var onDisk = new[]
        {
            Client("disk0", ClientRole.Writer, TtsEngine.Multilingual), Client("disk1", ClientRole.Writer, TtsEngine.Turbo),
        };
        var memory = Client("memory", ClientRole.Writer, TtsEngine.Chatterbox);
        var reader = Client("reader", ClientRole.Reader);
        var visitor = Client("visitor", ClientRole.Visitor);
        ClientProcess[] clients = [.. onDisk, memory, reader, visitor];
        foreach (var client in clients) client.Start();

        var started = Line.Now;
        var under = new List<Task>();
        foreach (var fault in faults)
        {
            await UntilAsync(started + fault.At);
            under.Add(fault.Kind is FaultKind.KillClient ? KillAsync(onDisk[fault.Target], fault) : DoAsync(cluster, fault));
        }
        await UntilAsync(started + options.Length);
        await Task.WhenAll(under);
        var healed = Line.Now;
        log("all faults are healed");

        if (!await cluster.AreReadyAsync()) Find(FindingKind.Stuck, "a silo was not ready two minutes after the last fault");
        await SettleAsync(clients);
        await visitor.DisposeAsync();
        await AgreeAsync([.. onDisk, memory, reader]);
        var end = Line.Now;
        var views = _ledger.Views;
        var changes = _ledger.Changes;
        foreach (var view in views) _findings.AddRange(Verdict.OfSight(view, changes, cluster.Disturbances, end));
        JudgeStates(views.Where(view => view.To is null && view.Hash is not null), changes, "live clients");

        foreach (var client in clients) await client.DisposeAsync();
        foreach (var left in Directory.EnumerateFiles(folder, "*.outbox", SearchOption.AllDirectories))
        {
            Find(FindingKind.Stuck, $"{left} was left behind by a client that closed in good order");
        }
        await ReadAgainAsync(new("fresh", ClientRole.Reader, cluster.Gateways, _users, options.Seed));
        var alone = await cluster.StartAloneAsync();
        await ReadAgainAsync(new("stored", ClientRole.Reader, [alone.Gateway], _users, options.Seed, ClusterId: Cluster.Alone));

        Report.Print($"Random faults for {options.Length.TotalMinutes:0.#} min, seed {options.Seed}",
        [
            .. Report.Of(changes),
            ("users, stores opened", $"{_users.Length}, {views.Count}"),
            .. Report.Of(faults),
            ("silos that ended by themselves", Report.Text(cluster.Silos.Sum(silo => silo.OwnEnds))),
            ("undisturbed seconds, of all",
                $"{cluster.Disturbances.Undisturbed(started, end).TotalSeconds:N0}, {(end - started).TotalSeconds:N0}"),
            ("seconds from healing to agreement", $"{(end - healed).TotalSeconds:N0}"),
        ], _findings);
        return _findings;

        ClientProcess Client(string name, ClientRole role, TtsEngine? counter = null) => new(
            new(name, role, cluster.Gateways, _users, options.Seed + name.Length,
                name.StartsWith("disk", StringComparison.Ordinal) ? Path.Combine(folder, name) : null, counter), _ledger);
    }

    private async Task DoAsync(Cluster cluster, Fault fault)
    {
        log($"{fault}");
        await cluster.DoAsync(fault);
        log($"healed: {fault}");
    }

    private async Task KillAsync(ClientProcess client, Fault fault)
    {
        log($"{fault}");
        await client.KillAsync();
        await Task.Delay(fault.Length, TimeProvider.System);
        client.Start();
        log($"healed: {fault}");
    }

    private async Task SettleAsync(ClientProcess[] clients)
    {
        foreach (var client in clients) client.Settle();
        try
        {
            await Task.WhenAll(clients.Select(client => client.Settled)).WaitAsync(SettleTimeout, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            var open = _ledger.Changes.Where(change => change is { Durable: null, Refused: null, Dropped: null });
            foreach (var change in open) Find(FindingKind.Stuck, $"{change} has no outcome");
        }
        foreach (var client in clients.Where(client => client.EndedByItself))
        {
            Find(FindingKind.Stuck, $"{client.Name} ended by itself");
        }
        foreach (var change in _ledger.Changes.Where(change =>
            change.Dropped is not null && !change.Store.StartsWith("visitor", StringComparison.Ordinal)))
        {
            Find(FindingKind.Stuck, $"{change}: {change.Dropped}");
        }
    }

    /// <summary>
    /// Has the clients report until all show the same, within a bound: events and what an outbox held may be on their way.
    /// </summary>
    private async Task AgreeAsync(ClientProcess[] clients)
    {
        var asked = Line.Now;
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1));
        do
        {
            foreach (var client in clients) client.Report();
            await tick.WaitForNextTickAsync();
        }
        while (Line.Now - asked < AgreeTimeout && !Agree());

        bool Agree()
        {
            var open = _ledger.Views.Where(view => view.To is null).ToArray();
            return open.Count(view => view.Hash is not null) == clients.Sum(client => client.Users.Count)
                && !Verdict.OfEquality(open).Any()
                && !open.SelectMany(view => Verdict.OfFinal(view, _ledger.Changes)).Any();
        }
    }

    /// <summary>A client that has never been there before reads everything.</summary>
    private async Task ReadAgainAsync(ClientSettings settings)
    {
        var name = settings.Name;
        await using var client = new ClientProcess(settings, _ledger);
        client.Start();
        var asked = Line.Now;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        View[] views;
        do
        {
            client.Report();
            await tick.WaitForNextTickAsync();
            views =
            [
                .. _ledger.Views.Where(view =>
                    view.Store.StartsWith($"{name}.", StringComparison.Ordinal) && view.Hash is not null),
            ];
        }
        while (views.Length < _users.Length && Line.Now - asked < AgreeTimeout);
        if (views.Length < _users.Length)
        {
            Find(FindingKind.Stuck, $"{name}: {_users.Length - views.Length} sessions could not be opened");
        }
        var live =
            _ledger.Views.Where(view => view.Hash is not null && view.Store.StartsWith("reader.", StringComparison.Ordinal));
        JudgeStates(views, _ledger.Changes, name);
        _findings.AddRange(Verdict.OfEquality([.. live, .. views]));
    }

    private void JudgeStates(IEnumerable<View> views, IReadOnlyList<Change> changes, string where)
    {
        var judged = views.ToArray();
        log($"{where}: {judged.Length} stores are compared with {changes.Count} changes");
        foreach (var view in judged) _findings.AddRange(Verdict.OfFinal(view, changes));
        _findings.AddRange(Verdict.OfEquality(judged));
    }

    private void Find(FindingKind kind, string what) => _findings.Add(new(kind, what, what));

    private static async Task UntilAsync(TimeSpan at)
    {
        if (at > Line.Now) await Task.Delay(at - Line.Now, TimeProvider.System);
    }
}
