using Xunit.Abstractions;

namespace Chatterbox.EndToEndTests;

/// <summary>A silo under load is to have threads to spare.</summary>
public sealed class LoadTests(ITestOutputHelper output)
{
    private const int Processes = 4;
    private const int Sessions = 256;
    private const int Changes = 40;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact(DisplayName = "[D3] 256 sessions save all the time, and the silo's watchdog has nothing to say")]
    public async Task The_watchdog_stays_silent()
    {
        await using var silo =
            await SiloProcess.StartAsync(("Session__WriteDelay", "00:00:00.010"), ("Session__MaxWriteDelay", "00:00:00.050"));
        var processes = await Task.WhenAll(Enumerable.Range(0, Processes).Select(_ => ClientProcess.StartAsync(silo.Gateway)));
        var stores = await Task.WhenAll(Enumerable.Range(0, Sessions)
            .Select(user => processes[user % Processes].Client.OpenAsync(new SessionId($"user{user}")))).WaitAsync(Patience);

        var started = TimeProvider.System.GetTimestamp();
        // Each waits for its change to be stored before it makes the next, so that nobody is ahead of the database.
        await Task.WhenAll(stores.Select(async store =>
        {
            for (var number = 0; number < Changes; number++)
            {
                await (await store.UpdateParametersAsync(p => p with { Seed = number })).Durable;
            }
        })).WaitAsync(Patience);
        output.WriteLine(
            $"{Sessions * Changes / TimeProvider.System.GetElapsedTime(started).TotalSeconds:N0} durable changes a second.");
        foreach (var process in processes) await process.DisposeAsync();
        Assert.Equal(0, await silo.StopAsync());

        var alarms = silo.Output.Split('\n').Where(line => line.Contains("Thread Pool", StringComparison.Ordinal)
            || line.Contains("Participant check thread", StringComparison.Ordinal)).ToArray();
        // Whole: the assertion shows the beginnings only.
        foreach (var alarm in alarms) output.WriteLine(alarm);
        Assert.Empty(alarms);
    }
}
