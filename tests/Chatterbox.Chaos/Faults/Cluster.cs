using System.Net;
using Chatterbox.Chaos.Clients;
using Chatterbox.Chaos.Ledgers;
using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.Chaos.Faults;

/// <summary>Silos on one PostgreSQL server, and the faults that can be done to them.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    /// <summary>The cluster of the silo that is started alone.</summary>
    public const string Alone = "alone";

    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromMinutes(2);

    private readonly string _folder;
    private readonly PostgresServer _database;
    private readonly Dictionary<string, string> _settings;
    private SiloProcess? _alone;

    private Cluster(string folder, PostgresServer database, Dictionary<string, string> settings, Action<string> log)
    {
        (_folder, _database, _settings) = (folder, database, settings);
        Silos =
        [
            .. Enumerable.Range(0, Network.Silos).Select(number =>
                new SiloProcess(number, Path.Combine(folder, $"silo{number}"), settings, log,
                    _ => Disturbances.Add(Line.Now, Line.Now))),
        ];
    }

    public IReadOnlyList<SiloProcess> Silos { get; }

    public Disturbances Disturbances { get; } = new();

    public IReadOnlyList<IPEndPoint> Gateways => [.. Silos.Select(silo => silo.Gateway)];

    /// <summary>Needs <see cref="Network.CreateAsync"/>.</summary>
    /// <param name="session">Settings of section <c>Chatterbox:Session</c>.</param>
    public static async Task<Cluster> StartAsync(string folder, Action<string> log, params (string Name, string Value)[] session)
    {
        var database = await PostgresServer.StartNewAsync(address: Network.Middle);
        var settings = new Dictionary<string, string>
        {
            ["Chatterbox__Database__Provider"] = "PostgreSql",
            ["Chatterbox__Database__ConnectionString"] = database.ConnectionString(await database.CreateEmptyDatabaseAsync()),
            ["Chatterbox__Cluster__Mode"] = "AdoNet",
            ["Chatterbox__Auth__ServiceKey"] = Connection.ServiceKey,
        };
        foreach (var (name, value) in session) settings[$"Chatterbox__Session__{name}"] = value;
        await MigrateAsync(settings);
        var cluster = new Cluster(folder, database, settings, log);
        foreach (var silo in cluster.Silos) silo.Start();
        if (!await cluster.AreReadyAsync()) throw new TimeoutException($"The silos did not become ready; see {folder}.");
        return cluster;
    }

    /// <summary>Whether all silos become ready in time.</summary>
    public Task<bool> AreReadyAsync() => AreReadyAsync([.. Silos]);

    private static async Task<bool> AreReadyAsync(params SiloProcess[] silos)
    {
        var started = Line.Now;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        foreach (var silo in silos)
        {
            while (!await silo.IsReadyAsync())
            {
                if (Line.Now - started > ReadyTimeout) return false;
                await tick.WaitForNextTickAsync();
            }
        }
        return true;
    }

    /// <summary>Does a fault and heals it. Returns once it is healed.</summary>
    public async Task DoAsync(Fault fault)
    {
        var silo = Silos[fault.Target % Silos.Count];
        var from = Line.Now;
        switch (fault.Kind)
        {
            case FaultKind.KillSilo:
                silo.RestartDelay = fault.Length;
                await silo.KillAsync();
                break;
            case FaultKind.StopSilo:
                await silo.StopAsync();
                break;
            case FaultKind.PauseSilo:
                await silo.PauseAsync();
                await LastsAsync(fault);
                await silo.ResumeAsync();
                break;
            case FaultKind.PauseDatabase:
                await PauseDatabaseAsync();
                await LastsAsync(fault);
                await ResumeDatabaseAsync();
                break;
            case FaultKind.Mute or FaultKind.Deaf:
                await Network.CutAsync(fault, _database.Port);
                await LastsAsync(fault);
                await Network.HealAsync(silo.Number);
                break;
            case FaultKind.StepClock:
                silo.SetClock(fault.Step);
                await LastsAsync(fault);
                silo.SetClock(TimeSpan.Zero);
                return;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault), fault.Kind, "Not a fault of the cluster.");
        }
        Disturbances.Add(from, Line.Now);
    }

    /// <summary>Kills all silos and starts a new one: what it serves is what the database holds.</summary>
    /// <remarks>In a cluster of its own: one that died with its clock ahead is waited for until that time has come.</remarks>
    public async Task<SiloProcess> StartAloneAsync()
    {
        foreach (var silo in Silos) await silo.EndAsync();
        var settings = new Dictionary<string, string>(_settings) { ["Chatterbox__Cluster__ClusterId"] = Alone };
        _alone = new SiloProcess(0, Path.Combine(_folder, "alone"), settings, _ => { }, _ => { });
        _alone.Start();
        if (!await AreReadyAsync(_alone)) throw new TimeoutException($"A new silo did not become ready; see {_folder}/alone.");
        return _alone;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos) await silo.EndAsync();
        if (_alone is not null) await _alone.EndAsync();
        await _database.DisposeAsync();
    }

    private static async Task MigrateAsync(Dictionary<string, string> settings)
    {
        foreach (var (name, value) in settings) Environment.SetEnvironmentVariable(name, value);
        await Shell.RunAsync("dotnet", Programs.Silo, "--migrate-database");
    }

    // The server first: it starts no more backends then.
    private async Task PauseDatabaseAsync()
    {
        await Shell.SignalAsync("STOP", _database.ProcessId);
        await Shell.SignalAsync("STOP", Shell.ChildrenOf(_database.ProcessId));
    }

    private async Task ResumeDatabaseAsync()
    {
        await Shell.SignalAsync("CONT", Shell.ChildrenOf(_database.ProcessId));
        await Shell.SignalAsync("CONT", _database.ProcessId);
    }

    private static Task LastsAsync(Fault fault) => Task.Delay(fault.Length, TimeProvider.System);
}
