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

    /// <summary>Part of every stored row's key: change it and the data is out of sight. Default <c>chatterbox</c>; 1 to 150 characters.</summary>
    [StringLength(150, MinimumLength = 1)]
    public string ServiceId { get; set; } = "chatterbox";
}
