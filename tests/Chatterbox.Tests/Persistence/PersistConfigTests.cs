using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using CsCheck;
using Microsoft.Extensions.Options;

namespace Chatterbox.Tests.Persistence;

public sealed class PersistConfigTests
{
    private static readonly PersistConfig[] Presets =
        [PersistConfig.AppState, PersistConfig.Minimal, PersistConfig.SessionOnly, PersistConfig.Recovery];

    [Fact(DisplayName = "[P6] the presets are registered by name, and what they leave open is the silo's")]
    public void Presets_and_defaults()
    {
        var configs =
            new PersistConfigs(Presets, [], Options.Create(new ChatterboxOptions { WriteDelay = TimeSpan.FromMilliseconds(70) }));
        Assert.Equal(["app-state", "minimal", "recovery", "session-only"], configs.Names);
        Assert.Null(configs.Find("nobody"));
        var config = configs.Find("minimal")!;
        Assert.Equal((TimeSpan.FromMilliseconds(70), TimeSpan.FromSeconds(2), 1024, (TimeSpan?)null, 1L << 30),
            (config.WriteDelay!.Value, config.MaxWriteDelay!.Value, config.CompressionThreshold!.Value,
                config.ExpiresAfter, config.QuotaBytes));
        Assert.Equal(TimeSpan.FromDays(1), configs.Find("session-only")!.ExpiresAfter);
    }

    [Fact(DisplayName =
        "[P6] a store of one's own is made from a preset by with, and the configuration overrides it, setting by setting")]
    public void Custom_stores()
    {
        var custom = PersistConfig.Minimal with
        {
            Name = "mine", WriteDelay = TimeSpan.FromSeconds(1), CompressionThreshold = 7, ExpiresAfter = TimeSpan.FromHours(1),
        };
        var options = new ChatterboxOptions();
        options.Stores["mine"] = new() { MaxWriteDelay = TimeSpan.FromSeconds(30), CompressionThreshold = 9 };
        var config = new PersistConfigs([.. Presets, custom], [], Options.Create(options)).Find("mine")!;
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 9, TimeSpan.FromHours(1)),
            (config.WriteDelay!.Value, config.MaxWriteDelay!.Value,
                config.CompressionThreshold!.Value, config.ExpiresAfter!.Value));

        options.Stores["mine"] = new() { WriteDelay = TimeSpan.FromSeconds(2), ExpiresAfter = TimeSpan.FromHours(2) };
        config = new PersistConfigs([.. Presets, custom], [], Options.Create(options)).Find("mine")!;
        Assert.Equal((TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), 7, TimeSpan.FromHours(2)),
            (config.WriteDelay!.Value, config.MaxWriteDelay!.Value,
                config.CompressionThreshold!.Value, config.ExpiresAfter!.Value));
    }

    public static TheoryData<string, PersistConfig> Wrong => new()
    {
        { "store Not Allowed", PersistConfig.Minimal with { Name = "Not Allowed" } },
        { "WriteDelay: must be 00:00:00.0100000 or more, was 00:00:00.0090000",
            PersistConfig.Minimal with { Name = "x", WriteDelay = TimeSpan.FromMilliseconds(9) } },
        { "MaxWriteDelay: must be WriteDelay (00:00:02) or more, was 00:00:01",
            PersistConfig.Minimal with
            {
                Name = "x", WriteDelay = TimeSpan.FromSeconds(2), MaxWriteDelay = TimeSpan.FromSeconds(1),
            } },
        { "CompressionThreshold: must be 0 or more bytes, was -1",
            PersistConfig.Minimal with { Name = "x", CompressionThreshold = -1 } },
        { "ExpiresAfter: must be 1 s or more, was 00:00:00.9990000",
            PersistConfig.Minimal with { Name = "x", ExpiresAfter = TimeSpan.FromMilliseconds(999) } },
        { "QuotaBytes: must be 1 or more bytes, was 0", PersistConfig.Minimal with { Name = "x", QuotaBytes = 0 } },
        { "store minimal is registered twice", PersistConfig.Minimal },
    };

    [Theory(DisplayName =
        "[P6] [X2] a store that cannot be is refused at the start, with its name, the setting, its value and what is allowed")]
    [MemberData(nameof(Wrong))]
    public void Refused(string says, PersistConfig wrong)
    {
        var refusal = Assert.Throws<InvalidOperationException>(() =>
            new PersistConfigs([.. Presets, wrong], [], Options.Create(new ChatterboxOptions())));
        Assert.Contains(
            says.StartsWith("store", StringComparison.Ordinal)
                ? says.Replace("store Not", "Not", StringComparison.Ordinal)
                : says,
            refusal.Message, StringComparison.Ordinal);
        if (!says.StartsWith("store", StringComparison.Ordinal))
        {
            Assert.Contains("store x: ", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact(DisplayName = "[P6] the smallest values allowed are allowed")]
    public void At_the_edge()
    {
        var edge = PersistConfig.Minimal with
        {
            Name = "x", WriteDelay = TimeSpan.FromMilliseconds(10), MaxWriteDelay = TimeSpan.FromMilliseconds(10),
            CompressionThreshold = 0, ExpiresAfter = TimeSpan.FromSeconds(1), QuotaBytes = 1,
        };
        Assert.NotNull(new PersistConfigs([edge], [], Options.Create(new ChatterboxOptions())).Find("x"));
    }

    [Fact(DisplayName =
        "[P6] [X2] settings of a store that is not registered are refused, with those that are; all mistakes are told at once")]
    public void Unknown_store()
    {
        var options = new ChatterboxOptions();
        options.Stores["mnimal"] = new();
        options.Stores["minimal"] = new() { MaxWriteDelay = TimeSpan.FromMilliseconds(20) };
        var refusal = Assert.Throws<InvalidOperationException>(() => new PersistConfigs(Presets, [], Options.Create(options)));
        Assert.Contains("; Stores: 'mnimal' is not a registered store; registered are app-state, minimal, recovery, session-only",
            refusal.Message, StringComparison.Ordinal);
        Assert.Contains("store minimal: MaxWriteDelay: must be WriteDelay (00:00:00.3000000) or more, was 00:00:00.0200000",
            refusal.Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[P6] what each preset keeps")]
    public void What_is_kept() => States.Any.Sample(state =>
    {
        var whole = PersistConfig.AppState.Partialize(state);
        Assert.Equal(Math.Min(state.WorkSessions.Count, 10), whole.WorkSessions.Count);
        if (state.WorkSessions.Count <= 10) Assert.Same(state, whole);
        else if (state.CurrentWorkSession is { } current) Assert.Contains(current, whole.WorkSessions);
        // The latest of them, but for the one in the place of the current.
        Assert.Equal(state.WorkSessions.TakeLast(9), whole.WorkSessions.TakeLast(9));
        Assert.Same(state.Chunks, whole.Chunks);
        Assert.Equal(AppState.Initial with { Preferences = state.Preferences }, PersistConfig.Minimal.Partialize(state));
        Assert.Equal(AppState.Initial with { Chunks = state.Chunks, BatchItems = state.BatchItems },
            PersistConfig.SessionOnly.Partialize(state));
        var unfinished = PersistConfig.Recovery.Partialize(state);
        Assert.Equal(state.Chunks.Where(chunk => chunk.Status is not WorkStatus.Completed), unfinished.Chunks);
        Assert.Equal(state.BatchItems.Where(item => item.Status is not WorkStatus.Completed), unfinished.BatchItems);
        if (state.Chunks.All(chunk => chunk.Status is not WorkStatus.Completed)) Assert.Same(state.Chunks, unfinished.Chunks);
        Assert.Equal((Preferences.Default, 0, 0),
            (unfinished.Preferences, unfinished.WorkSessions.Count, unfinished.SavedVoices.Count));
    }, iter: 300);
}
