using System.Diagnostics.Metrics;
using Chatterbox.Grains;

namespace Chatterbox.Silo.Operations;

/// <summary>What the silo measures of itself, its cluster and its database, on the same meter as its sessions.</summary>
internal static class SiloInstruments
{
    public static readonly Meter Meter = new(ChatterboxInstruments.MeterName);

    public static readonly Counter<long> Evictions =
        Meter.CreateCounter<long>("chatterbox.cluster.evictions", "{silo}",
            "Silos that were declared dead without having said that they stop.");

    /// <summary>1, with the version as a tag: two versions at once are a roll under way.</summary>
    public static readonly ObservableGauge<int> BuildInfo = Meter.CreateObservableGauge("chatterbox.build.info",
        () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", Build.Version)),
        description: "1; the version is a tag.");
}
