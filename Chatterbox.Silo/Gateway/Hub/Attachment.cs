namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>A browser's client of one session, attached over one connection. Renewed by <see cref="LeaseRenewal"/>.</summary>
/// <param name="Client">As the session has it: the process is this silo's.</param>
/// <param name="Slices">What it wants to hear of; null is all.</param>
internal sealed record Attachment(SessionId Session, ClientId Client, ValueList<string>? Slices, GatewayConnection Connection)
{
    private readonly Lock _lock = new();
    private long _epoch;
    private long _revision;
    private long _expectedRevision;

    public string Key { get; } = Session.Key;

    /// <summary>Whether the session has taken the client already.</summary>
    public bool IsAttached
    {
        get
        {
            lock (_lock) return _epoch != 0;
        }
    }

    /// <summary>The client was told of the session up to here.</summary>
    public void Told(long epoch, long revision)
    {
        lock (_lock)
        {
            if (epoch == _epoch) _revision = Math.Max(_revision, revision);
            else (_epoch, _revision) = (epoch, revision);
        }
    }

    /// <summary>
    /// Whether events were lost on the way: what the session had reached at the heartbeat before this one was not told until now.
    /// </summary>
    public bool HasMissed(HeartbeatReply reply)
    {
        lock (_lock)
        {
            var missed = reply.Epoch != _epoch || _revision < _expectedRevision;
            _expectedRevision = reply.Epoch == _epoch ? reply.Revision : 0;
            return missed;
        }
    }

    public bool Equals(Attachment? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
