using System.ComponentModel.DataAnnotations;

namespace Chatterbox.Silo.Settings;

/// <summary>How silos find each other.</summary>
public enum ClusteringMode
{
    /// <summary>One silo on this machine, which needs nothing else.</summary>
    Localhost,

    /// <summary>Several silos that meet in the database.</summary>
    AdoNet,
}

/// <summary><c>Chatterbox__Cluster__…</c></summary>
public sealed class ClusteringOptions
{
    /// <summary>Default <see cref="ClusteringMode.Localhost"/>.</summary>
    public ClusteringMode Mode { get; set; }

    /// <summary>Silos with the same id form one cluster. Default <c>chatterbox</c>; 1 to 150 characters.</summary>
    [StringLength(150, MinimumLength = 1)]
    public string ClusterId { get; set; } = "chatterbox";

    /// <summary>
    /// Part of every stored row's key: change it and the data is out of sight. Default <c>chatterbox</c>; 1 to 150 characters.
    /// </summary>
    [StringLength(150, MinimumLength = 1)]
    public string ServiceId { get; set; } = "chatterbox";

    /// <summary>
    /// How often silos ask each other whether they are alive, and how long they wait for the answer. Orleans adapts it to the
    /// answers
    /// it gets, from half to twice this. Default 1 second; 100 milliseconds to 1 minute.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Probes in a row that a silo leaves unanswered before another suspects it. With the default <see cref="ProbeTimeout"/> that
    /// is
    /// three seconds: longer than a garbage collection or a moment without a processor, short enough to wait out. Default 3; 1 to
    /// 20.
    /// </summary>
    [Range(1, 20)]
    public int MissedProbes { get; set; } = 3;

    /// <summary>
    /// Silos that have to suspect one before it is declared dead, so that one silo's broken network does not cost the others
    /// their
    /// lives; of two silos one is enough. Default 2; 1 to 10.
    /// </summary>
    [Range(1, 10)]
    public int Votes { get; set; } = 2;
}
