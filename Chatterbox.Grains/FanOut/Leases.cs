namespace Chatterbox.Grains.FanOut;

/// <param name="Slices">The slices that the client syncs; null is all.</param>
internal sealed record Lease(ClientId Client, string Device, ValueList<string>? Slices, DateTimeOffset Since)
{
    /// <summary>When it was last renewed, on the monotonic clock.</summary>
    public required long Renewed { get; set; }
}

/// <summary>A lease in a session's image; it restarts on the new silo.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.LeaseImage")]
internal sealed record LeaseImage(
    [property: Id(0)] ClientId Client,
    [property: Id(1)] string Device,
    [property: Id(2)] ValueList<string>? Slices,
    [property: Id(3)] DateTimeOffset Since);

/// <summary>A client process that gets a session's events.</summary>
/// <param name="Slices">The union of its stores' slices; null is all.</param>
internal readonly record struct Target(StreamId Stream, ValueList<string>? Slices);

/// <summary>
/// The clients attached to a session. Soft state: a lease lasts as long as it is renewed. The last process that attached a client
/// id holds its lease.
/// </summary>
internal sealed class Leases(TimeSpan duration, TimeProvider clock)
{
    private readonly Dictionary<string, Lease> _byClient = new(StringComparer.Ordinal);
    private Target[]? _streams;

    public int Count => _byClient.Count;

    public IEnumerable<Lease> All => _byClient.Values;

    /// <summary>The streams of the client processes with a lease, each once.</summary>
    public IReadOnlyList<Target> Streams => _streams ??=
        [.. _byClient.Values.GroupBy(lease => lease.Client.Process,
            (process, leases) => new Target(ChatterboxStreams.OfProcess(process), Union([.. leases])))];

    public bool Holds(string client) => _byClient.ContainsKey(client);

    /// <summary>Starts a client's lease, or replaces it. True when the client is new.</summary>
    public bool Start(ClientId client, string device, ValueList<string>? slices)
    {
        var known = _byClient.TryGetValue(client.Client, out var before);
        _streams = null;
        var since = before?.Since ?? clock.GetUtcNow();
        _byClient[client.Client] = new(client, device, slices, since) { Renewed = clock.GetTimestamp() };
        return !known;
    }

    public bool Renew(string client)
    {
        if (!_byClient.TryGetValue(client, out var lease)) return false;
        lease.Renewed = clock.GetTimestamp();
        return true;
    }

    public bool End(string client)
    {
        _streams = null;
        return _byClient.Remove(client);
    }

    /// <summary>Replaces all leases by these, as if just renewed.</summary>
    public void Restore(IEnumerable<LeaseImage> leases)
    {
        var renewed = clock.GetTimestamp();
        _streams = null;
        _byClient.Clear();
        foreach (var (client, device, slices, since) in leases)
            _byClient[client.Client] = new(client, device, slices, since) { Renewed = renewed };
    }

    /// <summary>Ends the leases that were not renewed in time, and returns them.</summary>
    public IReadOnlyList<Lease> EndLapsed()
    {
        var lapsed = _byClient.Values.Where(lease => clock.GetElapsedTime(lease.Renewed) >= duration).ToArray();
        foreach (var lease in lapsed) End(lease.Client.Client);
        return lapsed;
    }

    private static ValueList<string>? Union(Lease[] leases) =>
        leases.Any(lease => lease.Slices is null)
            ? null : leases.SelectMany(lease => lease.Slices!).Distinct().Order(StringComparer.Ordinal).ToValueList();
}
