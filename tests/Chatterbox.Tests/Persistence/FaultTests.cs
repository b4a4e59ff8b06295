using Chatterbox.Tests.Apps;
using Xunit.Abstractions;

namespace Chatterbox.Tests.Persistence;

public sealed class FaultTests(ITestOutputHelper output)
{
    private const int Changes = 10_000;

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);

    [Fact(DisplayName = "[P3] [P8] [P9] ten thousand random changes, over storage that fails in every way and is gone for 30 s, "
        + "crashes and loads between: none lost, none twice")]
    [Trait("Category", "Long")]
    public async Task Random_faults()
    {
        var seed = Random.Shared.Next();
        try
        {
            await RunAsync(seed, Changes, AnyApp.Of(AnyApp.Names[(seed & int.MaxValue) % AnyApp.Names.Length], seed));
        }
        catch
        {
            output.WriteLine($"seed {seed}");
            throw;
        }
    }

    public static TheoryData<int, string> Few
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var app in AnyApp.Names)
            {
                for (var seed = 1; seed <= 3; seed++) data.Add(seed, app);
            }
            return data;
        }
    }

    [Theory(DisplayName = "[G1] [P3] [P9] a few hundred random changes of any app over failing storage")]
    [MemberData(nameof(Few))]
    public async Task Fewer_faults(int seed, string app) => await RunAsync(seed, 300, AnyApp.Of(app, seed));

    private static async Task RunAsync(int seed, int changes, AnyApp app)
    {
        var random = new Random(seed);
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage, app);
        var awayUntil = TimeSpan.Zero;
        var started = driver.Clock.GetUtcNow();
        TimeSpan Now() => driver.Clock.GetUtcNow() - started;

        storage.Fault = _ => Now() < awayUntil ? WriteFault.Before : random.Next(12) switch
        {
            0 => WriteFault.Before,
            1 => WriteFault.After,
            2 => WriteFault.Late,
            3 => WriteFault.Stale,
            _ => WriteFault.None,
        };
        // Slow: everything else goes on meanwhile, changes and timers too.
        storage.Slow = async _ =>
        {
            if (random.Next(6) == 0) await Task.Yield();
        };
        storage.OnRead = _ =>
            Now() < awayUntil || random.Next(40) == 0
                ? throw new IOException("put in by the test: cannot be read")
                : Task.CompletedTask;

        for (var number = 1; number <= changes; number++)
        {
            driver.Change(app.Change(random, driver.Expected, number));
            if (random.Next(3) == 0) await driver.AdvanceAsync(TimeSpan.FromMilliseconds(random.Next(400)));
            if (number == changes / 2)
            {
                awayUntil = Now() + Outage;
                for (var second = 0; second < 30; second++)
                {
                    // What came before may be stored by now, and a change may be of what is not.
                    if (driver.Writer.Failing is null) driver.Change(app.Change(random, driver.Expected, ++number));
                    await driver.AdvanceAsync(TimeSpan.FromSeconds(1));
                }
            }
            if (random.Next(200) == 0) driver.Session.LoadAgain("a test");
            if (random.Next(300) == 0) await CrashAsync(driver);
            if (random.Next(100) == 0 && !driver.Log.IsReplaced) await driver.CheckNothingLostAsync();
        }
        awayUntil = TimeSpan.Zero;
        (storage.Fault, storage.Slow, storage.OnRead) = (null, null, null);
        await driver.SettleAsync();
        await driver.CheckNothingLostAsync();
        // What is never stored went with a crash.
        SessionState Stored(SessionState state) => app.Definition.WithUnstored(state, app.Definition.Initial);
        Assert.Equal(Stored(driver.Expected), Stored(driver.Log.State));
    }

    // A silo that dies in an outage is followed by one that cannot load either, until it can.
    private static async Task CrashAsync(SessionDriver driver)
    {
        while (true)
        {
            try
            {
                await driver.CrashAsync();
                return;
            }
            catch (IOException)
            {
                await driver.AdvanceAsync(TimeSpan.FromSeconds(1));
            }
        }
    }

    internal static AppStateChange RandomChange(Random random, AppState state, int number) => random.Next(10) switch
    {
        0 => new UpdateParameters(TtsEngine.Chatterbox, new() { Seed = number }),
        1 => new SetStreaming(number % 2 == 0),
        2 => new UpsertVoice(new()
        {
            Id = $"v{random.Next(20)}", Name = $"Voice {number}",
            Parameters = TtsParameters.DefaultsFor(TtsEngine.Turbo), Engine = TtsEngine.Turbo,
        }),
        3 when state.Chunks.Count > 0 => new RemoveChunk(state.Chunks[random.Next(state.Chunks.Count)].Id),
        4 when state.Chunks.Count > 0 =>
            new SetChunkStatus(state.Chunks[random.Next(state.Chunks.Count)].Id, (WorkStatus)random.Next(2)),
        5 => new UpsertBatchItem(new() { Id = $"b{random.Next(10)}", Name = $"Batch {number}" }),
        6 => new UpsertWorkSession(new() { Id = $"s{random.Next(8)}", Name = $"Session {number}" }),
        7 when state.SavedVoices.Count > 0 => new RemoveVoice(state.SavedVoices[random.Next(state.SavedVoices.Count)].Id),
        // Each shows in the state how often it was done.
        _ => new UpsertChunk(Samples.Chunk($"c{random.Next(60)}", $"Text {number}")),
    };
}
