using System.Collections.Concurrent;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>The connections of this silo, and which of them is attached to which session.</summary>
internal sealed class GatewayConnections
{
    private readonly ConcurrentDictionary<string, GatewayConnection> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _byUser = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Attachment[]> _bySession = new(StringComparer.Ordinal);

    /// <summary>Names this silo's stream: all its connections are one client process to the sessions.</summary>
    public string Process { get; } = $"web-{Guid.NewGuid():N}"[..20];

    public IEnumerable<GatewayConnection> All => _byId.Values;

    public IEnumerable<Attachment> Attachments => _bySession.Values.SelectMany(attached => attached);

    public int CountOf(string user) => _byUser.GetValueOrDefault(user);

    public GatewayConnection? Find(string id) => _byId.GetValueOrDefault(id);

    public IReadOnlyList<Attachment> Of(string session) => _bySession.GetValueOrDefault(session) ?? [];

    /// <summary>A socket of the user opens. False when there are as many as allowed.</summary>
    public bool TryEnter(string user, int most)
    {
        if (_byUser.AddOrUpdate(user, 1, static (_, count) => count + 1) <= most) return true;
        Leave(user);
        return false;
    }

    /// <summary>A socket of the user has closed.</summary>
    public void Leave(string user)
    {
        while (_byUser.TryGetValue(user, out var count))
        {
            if (count > 1 ? _byUser.TryUpdate(user, count - 1, count) : _byUser.TryRemove(new(user, count))) return;
        }
    }

    public void Add(GatewayConnection connection) => _byId[connection.Id] = connection;

    /// <summary>The socket has closed. Its leases end by themselves, unless it attaches again.</summary>
    public void Remove(string id)
    {
        if (!_byId.TryRemove(id, out var connection)) return;
        foreach (var attachment in connection.Attachments.Values) Detach(attachment);
    }

    /// <summary>From here on the connection is told of the session.</summary>
    public void Add(Attachment attachment) =>
        _bySession.AddOrUpdate(attachment.Key, _ => [attachment], (_, attached) => [.. attached, attachment]);

    /// <summary>The session has taken the client: an older connection with the same client id is told of it no longer.</summary>
    public void Supersede(Attachment attachment)
    {
        var older = Of(attachment.Key).Where(each => each != attachment
            && (each.Client.Client == attachment.Client.Client || each.Connection == attachment.Connection)).ToArray();
        attachment.Connection.Superseded.TryRemove(attachment.Session.Store, out _);
        attachment.Connection.Attachments[attachment.Session.Store] = attachment;
        foreach (var each in older)
        {
            if (each.Connection != attachment.Connection) End(each);
            else Detach(each);
        }
    }

    /// <summary>Another connection, of this silo or another, has attached the client since: this one is told.</summary>
    public void End(Attachment attachment)
    {
        attachment.Connection.Supersede(attachment);
        Detach(attachment);
    }

    public void Detach(Attachment attachment)
    {
        attachment.Connection.Attachments.TryRemove(new(attachment.Session.Store, attachment));
        while (_bySession.TryGetValue(attachment.Key, out var attached))
        {
            Attachment[] left = [.. attached.Where(each => each != attachment)];
            var isDone = left.Length == 0
                ? _bySession.TryRemove(new(attachment.Key, attached))
                : _bySession.TryUpdate(attachment.Key, left, attached);
            if (isDone) return;
        }
    }
}
