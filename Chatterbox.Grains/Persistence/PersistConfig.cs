using System.ComponentModel.DataAnnotations;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// What of a store's state is persisted, and how. Registered by store name with <c>AddChatterboxStore</c>; a custom one is made
/// from a preset by <c>with</c>. What is null is taken from <see cref="ChatterboxOptions"/>.
/// </summary>
public sealed record PersistConfig
{
    /// <summary>The store's name: the second part of a <see cref="SessionId"/>. 1 to 64 of a–z, 0–9 and '-'.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Bytes that a session may have stored, slices and audio together; above, the oldest work sessions lose their audio, then
    /// uploads are refused. 1 or more; default 1 GiB, some nine hours of speech.
    /// </summary>
    public long QuotaBytes { get; init; } = 1L << 30;

    /// <summary>
    /// The part of the state that is stored. Slices that it leaves alone keep their reference, and are then not even compared.
    /// Whatever it does, <see cref="AppState.Runtime"/> is never stored.
    /// </summary>
    public Func<AppState, AppState> Partialize { get; init; } = state => state;

    /// <inheritdoc cref="ChatterboxOptions.WriteDelay"/>
    public TimeSpan? WriteDelay { get; init; }

    /// <inheritdoc cref="ChatterboxOptions.MaxWriteDelay"/>
    public TimeSpan? MaxWriteDelay { get; init; }

    /// <inheritdoc cref="ChatterboxOptions.CompressionThreshold"/>
    public int? CompressionThreshold { get; init; }

    /// <summary>What has not been saved for so long is not loaded again. 1 s or more; null, the default, is never.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>The whole app: everything but the oldest work sessions.</summary>
    public static PersistConfig AppState { get; } = new() { Name = SessionId.DefaultStore, Partialize = Partializers.WholeApp };

    /// <summary>Preferences and nothing else.</summary>
    public static PersistConfig Minimal { get; } = new() { Name = "minimal", Partialize = Partializers.PreferencesOnly };

    /// <summary>Work in hand, for a day.</summary>
    public static PersistConfig SessionOnly { get; } = new()
    {
        Name = "session-only",
        Partialize = Partializers.ChunksAndBatches,
        ExpiresAfter = TimeSpan.FromDays(1),
    };

    /// <summary>Only what is not completed, for coming back to it after a crash.</summary>
    public static PersistConfig Recovery { get; } = new() { Name = "recovery", Partialize = Partializers.Unfinished };

    /// <summary>
    /// This configuration with what it leaves open taken from the options, as the configuration of this store overrides them.
    /// </summary>
    internal PersistConfig Resolve(ChatterboxOptions options)
    {
        var overrides = options.Stores.GetValueOrDefault(Name) ?? new StoreOptions();
        return this with
        {
            WriteDelay = overrides.WriteDelay ?? WriteDelay ?? options.WriteDelay,
            MaxWriteDelay = overrides.MaxWriteDelay ?? MaxWriteDelay ?? options.MaxWriteDelay,
            CompressionThreshold = overrides.CompressionThreshold ?? CompressionThreshold ?? options.CompressionThreshold,
            ExpiresAfter = overrides.ExpiresAfter ?? ExpiresAfter,
            QuotaBytes = overrides.QuotaBytes ?? QuotaBytes,
        };
    }

    /// <summary>What is wrong with a resolved configuration.</summary>
    internal IEnumerable<string> Problems
    {
        get
        {
            if (Text.CheckStore(Name) is { } name) yield return name.Message;
            if (WriteDelay < ChatterboxOptions.ShortestDelay)
                yield return Wrong(nameof(WriteDelay), WriteDelay, $"{ChatterboxOptions.ShortestDelay} or more");
            if (MaxWriteDelay < WriteDelay)
                yield return Wrong(nameof(MaxWriteDelay), MaxWriteDelay, $"WriteDelay ({WriteDelay}) or more");
            if (CompressionThreshold < 0)
                yield return Wrong(nameof(CompressionThreshold), CompressionThreshold, "0 or more bytes");
            if (QuotaBytes < 1) yield return Wrong(nameof(QuotaBytes), QuotaBytes, "1 or more bytes");
            if (ExpiresAfter < TimeSpan.FromSeconds(1)) yield return Wrong(nameof(ExpiresAfter), ExpiresAfter, "1 s or more");
        }
    }

    private string Wrong(string setting, object? value, string allowed) =>
        $"store {Name}: {setting}: must be {allowed}, was {value}";
}

/// <summary>What the configuration may set for one store: <c>Chatterbox__Session__Stores__NAME__…</c></summary>
public sealed class StoreOptions
{
    /// <inheritdoc cref="ChatterboxOptions.WriteDelay"/>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan? WriteDelay { get; set; }

    /// <inheritdoc cref="ChatterboxOptions.MaxWriteDelay"/>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan? MaxWriteDelay { get; set; }

    /// <inheritdoc cref="ChatterboxOptions.CompressionThreshold"/>
    [Range(0, 16 * 1024 * 1024)]
    public int? CompressionThreshold { get; set; }

    /// <inheritdoc cref="PersistConfig.QuotaBytes"/>
    [Range(typeof(long), "1", "1125899906842624")]
    public long? QuotaBytes { get; set; }

    /// <inheritdoc cref="PersistConfig.ExpiresAfter"/>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")]
    public TimeSpan? ExpiresAfter { get; set; }
}
