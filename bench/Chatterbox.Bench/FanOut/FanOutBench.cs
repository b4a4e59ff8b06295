using System.Diagnostics;
using Spectre.Console;

namespace Chatterbox.Bench.FanOut;

/// <summary>
/// Latency from a change at one client to its arrival at others of the same session, with silo and clients in separate processes
/// connected by TCP; the idle cost, the memory, and the bulk throughput. Compared to stock memory streams.
/// </summary>
internal static class FanOutBench
{
    private const int IdleSessions = 1_000;
    private const int ManyStores = 10_000;
    private const int Users = 256;
    private const int InFlight = 8;
    private const int LockRounds = 5;

    /// <summary>Two heartbeats of every open store.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(10);

    private static readonly (string Name, TimeSpan? Poll)[] Ways =
    [
        ("stock, 100 ms", TimeSpan.FromMilliseconds(100)),
        ("stock, 10 ms", TimeSpan.FromMilliseconds(10)),
        ("stock, 1 ms", TimeSpan.FromMilliseconds(1)),
        ("pushed", null),
    ];

    /// <param name="quick">Only the silo's own streams, without idle cost and memory: less than half a minute.</param>
    public static async Task RunAsync(TimeSpan duration, bool quick)
    {
        var table = new Table().AddColumns(
            "streams", "median ms", "p99 ms", "stock / it", "empty silo CPU", "idle sessions add", "changes/s",
            "CPU s per 10,000");
        var stock = 0.0;
        foreach (var (name, poll) in quick ? Ways[^1..] : Ways)
        {
            await using var silo = await SiloChild.StartAsync(poll);
            // Warms up until the JIT has fully compiled the measured code, which takes longest at a low rate.
            await ThroughputAsync(silo, duration);
            var latency = await LatencyAsync(silo, duration);
            if (stock == 0) stock = latency.Median;
            var (empty, idle) = quick ? default : await IdleAsync(silo);
            var (rate, cpu) = await ThroughputAsync(silo, duration);
            table.AddRow(name, $"{latency.Median:N2}", $"{latency.P99:N2}", $"{stock / latency.Median:N0}",
                $"{empty:P1}", $"{idle:P1}", $"{rate:N0}", $"{cpu:N2}");
        }
        var memory = quick ? "" : await MemoryAsync();
        AnsiConsole.Profile.Width = 140;
        AnsiConsole.Write(table);
        Console.WriteLine(
            $"Latency: until two other clients have it. CPU: of a core. Idle: {IdleSessions:N0} attached sessions.");
        Console.WriteLine($"In bulk: {Users} users, one writer and one reader each, {InFlight} changes in flight.");
        Console.WriteLine(memory);
    }

    private static async Task<(double Median, double P99)> LatencyAsync(SiloChild silo, TimeSpan duration)
    {
        await using var writing = await ClientHost.StartAsync(silo.Gateway);
        await using var reading = await ClientHost.StartAsync(silo.Gateway);
        await using var readingToo = await ClientHost.StartAsync(silo.Gateway);
        var session = new SessionId("latency");
        var writer = await writing.Client.OpenAsync(session);
        ChatterboxStore[] readers = [await reading.Client.OpenAsync(session), await readingToo.Client.OpenAsync(session)];

        var waiting = 0;
        var arrived = new TaskCompletionSource();
        foreach (var reader in readers)
        {
            reader.Subscribe(state => state.Preferences.Parameters.Seed, (_, _) =>
            {
                if (Interlocked.Decrement(ref waiting) == 0) arrived.SetResult();
            });
        }

        var latencies = new List<double>();
        var clock = Stopwatch.StartNew();
        // Half of it warms up, as well.
        for (var seed = 1; clock.Elapsed < duration * 4 || latencies.Count < 50; seed++)
        {
            // Not in phase with any timer.
            await Task.Delay(TimeSpan.FromMilliseconds(1 + Random.Shared.Next(5)), TimeProvider.System);
            (waiting, arrived) = (readers.Length, new(TaskCreationOptions.RunContinuationsAsynchronously));
            var made = Stopwatch.GetTimestamp();
            var value = seed;
            _ = writer.UpdateParametersAsync(parameters => parameters with { Seed = value });
            await arrived.Task;
            if (clock.Elapsed > duration * 2) latencies.Add(Stopwatch.GetElapsedTime(made).TotalMilliseconds);
        }
        latencies.Sort();
        return (latencies[latencies.Count / 2], latencies[(int)(latencies.Count * 0.99)]);
    }

    private static async Task<(double Empty, double Added)> IdleAsync(SiloChild silo)
    {
        // Sessions of the previous measurement save and become idle.
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        var empty = await CpuAsync(silo);
        await using var client = await ClientHost.StartAsync(silo.Gateway);
        await client.OpenAsync(IdleSessions);
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        return (empty, await CpuAsync(silo) - empty);
    }

    private static async Task<double> CpuAsync(SiloChild silo)
    {
        var (before, clock) = (await silo.UsageAsync(), Stopwatch.StartNew());
        await Task.Delay(IdleTime, TimeProvider.System);
        return ((await silo.UsageAsync()).Cpu - before.Cpu) / clock.Elapsed;
    }

    /// <summary>What the lock on the Orleans gateway costs: the same silo with and without, in turn.</summary>
    public static async Task LockAsync(TimeSpan duration)
    {
        var (open, locked) = (new List<(double Rate, double Cpu)>(), new List<(double Rate, double Cpu)>());
        await using var openSilo = await SiloChild.StartAsync();
        await using var lockedSilo = await SiloChild.StartAsync(isLocked: true);
        for (var round = -1; round < LockRounds; round++)
        {
            var (without, with) = (await ThroughputAsync(openSilo, duration),
                await ThroughputAsync(lockedSilo, duration, SiloChild.ServiceKey));
            // The first round warms up.
            if (round < 0) continue;
            open.Add(without);
            locked.Add(with);
            Console.WriteLine($"open {without.Rate:N0} changes/s, locked {with.Rate:N0}; "
                + $"CPU s per 10,000: {without.CpuPerTenThousand:N3}, {with.CpuPerTenThousand:N3}");
        }
        Console.WriteLine($"With the lock, medians of {LockRounds} rounds in turn: "
            + $"{Median(locked, each => each.Rate) / Median(open, each => each.Rate) - 1:P1} changes/s, "
            + $"{Median(locked, each => each.Cpu) / Median(open, each => each.Cpu) - 1:P1} CPU for each.");

        static double Median(List<(double Rate, double Cpu)> rounds, Func<(double Rate, double Cpu), double> of) =>
            rounds.Select(of).Order().ElementAt(rounds.Count / 2);
    }

    private static async Task<(double Rate, double CpuPerTenThousand)> ThroughputAsync(
        SiloChild silo, TimeSpan duration, string? serviceKey = null)
    {
        await using var writing = await ClientHost.StartAsync(silo.Gateway, serviceKey);
        await using var reading = await ClientHost.StartAsync(silo.Gateway, serviceKey);
        var writers = await writing.OpenAsync(Users);
        var readers = await reading.OpenAsync(Users);
        long Arrived() => readers.Sum(reader => reader.Revision);

        using var end = new CancellationTokenSource();
        var running = Task.WhenAll(writers.SelectMany(writer => Enumerable.Range(0, InFlight).Select(lane => Task.Run(async () =>
        {
            for (var seed = lane; !end.IsCancellationRequested; seed += InFlight)
            {
                var value = 1 + seed % 1_000_000;
                await writer.UpdateParametersAsync(parameters => parameters with { Seed = value });
            }
        }))));
        await Task.Delay(duration, TimeProvider.System);
        var (usage, arrived, clock) = (await silo.UsageAsync(), Arrived(), Stopwatch.StartNew());
        await Task.Delay(duration * 2, TimeProvider.System);
        var (elapsed, changes, cpu) = (clock.Elapsed, Arrived() - arrived, (await silo.UsageAsync()).Cpu - usage.Cpu);
        await end.CancelAsync();
        await running;
        return (changes / elapsed.TotalSeconds, cpu.TotalSeconds / changes * 10_000);
    }

    /// <summary>The cost of an attached idle session for its silo, and of an open store for its client process.</summary>
    public static async Task<string> MemoryAsync()
    {
        await using var silo = await SiloChild.StartAsync();
        await using var client = await ClientHost.StartAsync(silo.Gateway);
        // Warms up until the JIT has compiled the measured code.
        await client.OpenAsync(IdleSessions);
        var (siloBefore, clientBefore) = (await silo.UsageAsync(collect: true), GC.GetTotalMemory(forceFullCollection: true));
        var clock = Stopwatch.StartNew();
        var stores = await client.OpenAsync(ManyStores, first: IdleSessions);
        var (opened, cpu) = (clock.Elapsed, (await silo.UsageAsync()).Cpu - siloBefore.Cpu);
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
        var (siloAfter, clientAfter) = (await silo.UsageAsync(collect: true), GC.GetTotalMemory(forceFullCollection: true));
        var subscriptions = await client.Client.CountSubscriptionsAsync();
        GC.KeepAlive(stores);
        static double KilobytesEach(long bytes) => bytes / (double)ManyStores / 1024;
        var (heap, resident) = (siloAfter.Heap - siloBefore.Heap, siloAfter.Resident - siloBefore.Resident);
        return $"""
            {ManyStores:N0} stores of one client process, opened in {opened.TotalSeconds:N1} s.
            They use {subscriptions} stream subscription(s).
            Opening a store takes {cpu.TotalMilliseconds / ManyStores:N2} ms of the silo's CPU.
            An attached idle session costs the silo {KilobytesEach(heap):N1} KB of heap, {KilobytesEach(resident):N1} KB resident.
            An open store costs its client process {KilobytesEach(clientAfter - clientBefore):N1} KB of heap.
            """;
    }
}
