using System.ComponentModel.DataAnnotations;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// How a store's state is persisted, and which part. Registered by store name with <c>AddChatterboxStore</c>; derive a custom one
/// from a preset with <c>with</c>. Null values default to <see cref="ChatterboxOptions"/>.
/// </summary>
public sealed record PersistConfig
{
    /// <summary>The store's name: the second part of a <see cref="SessionId"/>. 1 to 64 of a–z, 0–9 and '-'.</summary>
    public required string Name { get; init; }

    /// <summary>The app whose state the store holds.</summary>
    public required SiloApp App { get; init; }

    /// <summary>
    /// Bytes that a session may have stored, slices and audio together; above, the oldest work sessions lose their audio, then
    /// uploads are refused. 1 or more; default 1 GiB, some nine hours of speech.
    /// </summary>
    public long QuotaBytes { get; init; } = 1L << 30;

    /// <summary>
    /// Selects the stored part of the state. Slices that it returns unchanged keep their reference and need no comparison.
    /// Slices that are not stored by their definition never are. By default all of it is stored.
    /// </summary>
    public Func<SessionState, SessionState> Partialize { get; init; } = state => state;

    /// <inheritdoc cref="ChatterboxOptions.WriteDelay"/>
    public TimeSpan? WriteDelay { get; init; }

    /// <inheritdoc cref="ChatterboxOptions.MaxWriteDelay"/>
    public TimeSpan? MaxWriteDelay { get; init; }

    /// <inheritdoc cref="ChatterboxOptions.CompressionThreshold"/>
    public int? CompressionThreshold { get; init; }

    /// <summary>Slices not saved for this long expire: they are not loaded. 1 s or more; null, the default, is never.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>
    /// This configuration with its null values filled from the options and from the settings of this store, which override them.
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

    /// <summary>The problems of a resolved configuration.</summary>
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

/// <summary>The settings of one store: <c>Chatterbox__Session__Stores__NAME__…</c></summary>
public sealed class StoreOptions
{
    /// <summary>
    /// The app of a store that no code registers: with this, the configuration alone registers it. Otherwise it must be the
    /// store's own app, if set.
    /// </summary>
    [StringLength(Limits.StoreLength, MinimumLength = 1)]
    public string? App { get; set; }

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
