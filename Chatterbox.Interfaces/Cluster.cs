namespace Chatterbox;

/// <summary>The silos of a cluster, for operators. Key: 0.</summary>
[Alias("chatterbox.IClusterGrain")]
public interface IClusterGrain : IGrainWithIntegerKey
{
    /// <summary>The silos that are not dead, by address.</summary>
    [Alias("GetStatus")]
    Task<ValueList<SiloStatusReport>> GetStatusAsync();

    /// <summary>
    /// Asks a silo to stop as on SIGTERM: it takes no new sessions, hands those in use over to other silos, saves the others and
    /// ends its process. Returns once it has begun; whatever runs the process may start it again.
    /// </summary>
    /// <param name="silo">Its address, such as <c>10.0.0.1:11111</c>, or its host's name if no other silo has it.</param>
    /// <returns>Null, or why it was not asked: it is unknown, stops already, or is the only one.</returns>
    [Alias("Drain")]
    Task<Rejection?> DrainAsync(string silo);
}

/// <summary>A silo as the cluster has it, and what it says of itself.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SiloStatusReport")]
public sealed record SiloStatusReport
{
    /// <summary>Where other silos reach it: address and port.</summary>
    [Id(0)] public required string Silo { get; init; }

    /// <summary>
    /// As the cluster has it, in lower case: <c>active</c>, <c>joining</c>, <c>shuttingdown</c>, <c>stopping</c>.
    /// </summary>
    [Id(1)] public required string Status { get; init; }

    /// <summary>What it says of itself; null when it has not answered within some seconds.</summary>
    [Id(2)] public SiloReport? Report { get; init; }
}

/// <summary>What a silo says of itself.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SiloReport")]
public sealed record SiloReport
{
    /// <summary>The name of its machine or pod.</summary>
    [Id(0)] public required string Host { get; init; }

    /// <summary>Of its build.</summary>
    [Id(1)] public required string Version { get; init; }

    [Id(2)] public DateTimeOffset Started { get; init; }

    /// <summary>Sessions in its memory.</summary>
    [Id(3)] public int Sessions { get; init; }

    /// <summary>Clients attached to them.</summary>
    [Id(4)] public int Clients { get; init; }

    /// <summary>Of the sessions, those that cannot save at present.</summary>
    [Id(5)] public int Failing { get; init; }

    /// <summary>Of the sessions, those that are read-only.</summary>
    [Id(6)] public int ReadOnly { get; init; }

    /// <summary>Rows in its fallback file that the database does not have yet.</summary>
    [Id(7)] public int PendingFrames { get; init; }

    /// <summary>Since when it cannot use the database; null while it can.</summary>
    [Id(8)]
    public DateTimeOffset? DegradedSince { get; init; }

    /// <summary>It is stopping: it hands its sessions over, or saves them.</summary>
    [Id(9)] public bool IsDraining { get; init; }
}
