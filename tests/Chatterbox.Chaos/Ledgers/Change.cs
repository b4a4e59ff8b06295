namespace Chatterbox.Chaos.Ledgers;

/// <summary>
/// One change that a client made: a key gets a value that no other change gives it, or null when it is removed.
/// </summary>
internal sealed class Change(string store, int number, string user, string key, string? value, TimeSpan begun, bool keptOnDisk)
{
    public string Store => store;
    public int Number => number;
    public string User => user;
    public string Key => key;
    public string? Value => value;
    public TimeSpan Begun => begun;
    public TimeSpan? Taken { get; set; }
    public TimeSpan? Applied { get; set; }
    public TimeSpan? Durable { get; set; }
    public string? Refused { get; set; }
    public string? Dropped { get; set; }

    /// <summary>It has to be in at the end: reported durable, or in an outbox on disk that outlives its process.</summary>
    public bool IsPromised => Refused is null && (Durable is not null || (keptOnDisk && Taken is not null));

    /// <summary>It may be in at the end. One that the client was told nothing of may or may not.</summary>
    public bool IsPossible => Refused is null;

    /// <summary>It is in before the other is made: what the other does to the same key comes after it.</summary>
    public bool Precedes(Change other) =>
        Store == other.Store ? Number < other.Number : Durable is { } durable && durable < other.Begun;

    public override string ToString() => $"{User} {Key} = {Value ?? "removed"} by {Store} #{Number}";
}
