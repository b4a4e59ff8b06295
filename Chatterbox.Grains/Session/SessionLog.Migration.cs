namespace Chatterbox.Grains.Session;

/// <summary>A session's log on its way to another silo.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.LogImage")]
internal sealed record LogImage
{
    [Id(0)] public SessionState? State { get; init; }
    [Id(1)] public long Epoch { get; init; }
    [Id(2)] public long Revision { get; init; }
    [Id(3)] public long DurableRevision { get; init; }
    [Id(4)] public long Changes { get; init; }
    [Id(5)] public long RecentFrom { get; init; }
    [Id(6)] public ValueList<AppliedChange> Recent { get; init; } = [];
    [Id(7)] public ValueList<SliceApplied> Applied { get; init; } = [];
    [Id(8)] public ValueList<CursorImage> Cursors { get; init; } = [];

    /// <summary>A replacement that is not stored yet.</summary>
    [Id(9)] public MomentImage? Replacement { get; init; }
}

[GenerateSerializer, Immutable, Alias("chatterbox.MomentImage")]
internal sealed record MomentImage(
    [property: Id(0)] SessionState State, [property: Id(1)] long Revision, [property: Id(2)] ValueList<SliceApplied> Applied,
    [property: Id(3)] bool IsCleared)
{
    /// <summary>What was loaded had expired.</summary>
    [Id(4)] public bool HasExpired { get; init; }
}

/// <summary>Which client's changes a slice holds, oldest use first.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SliceApplied")]
internal sealed record SliceApplied([property: Id(0)] string Slice, [property: Id(1)] ValueList<ClientSequence> Clients);

[GenerateSerializer, Immutable, Alias("chatterbox.ClientSequence")]
internal readonly record struct ClientSequence(
    [property: Id(0)] string Client, [property: Id(1)] long Sequence, [property: Id(2)] int Day, [property: Id(3)] bool HasLeft);

/// <summary>Where a client is in its sequence, and which of its changes were refused.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.CursorImage")]
internal sealed record CursorImage(
    [property: Id(0)] string Client,
    [property: Id(1)] bool IsAttached,
    [property: Id(2)] long Next,
    [property: Id(3)] ValueList<RefusedChange> Refused,
    [property: Id(4)] string? Process = null);

[GenerateSerializer, Immutable, Alias("chatterbox.RefusedChange")]
internal readonly record struct RefusedChange([property: Id(0)] long Sequence, [property: Id(1)] Rejection Why);

/// <summary>Taking a log along to another silo: it goes on there, in the same epoch.</summary>
internal sealed partial class SessionLog
{
    public LogImage Capture() => new()
    {
        State = State,
        Epoch = Epoch,
        Revision = Revision,
        DurableRevision = DurableRevision,
        Changes = Changes,
        RecentFrom = _recentFrom,
        Recent = _recent.ToValueList(),
        Applied = Capture(_applied),
        Cursors = _cursors.Select(cursor => new CursorImage(cursor.Key, cursor.Value.IsAttached, cursor.Value.Next,
            cursor.Value.Rejections.Select(each => new RefusedChange(each.Key, each.Value)).ToValueList(), cursor.Value.Process))
            .ToValueList(),
        Replacement = _replacement is { } moment
            ? new(moment.State, moment.Revision, Capture(moment.Applied), moment.IsCleared) { HasExpired = _hasExpired }
            : null,
    };

    public void Restore(LogImage image)
    {
        (State, Epoch, Revision, DurableRevision, Changes) =
            (image.State ?? app.Initial, image.Epoch, image.Revision, image.DurableRevision, image.Changes);
        (_recent, _recentFrom) = (new(image.Recent), image.RecentFrom);
        _recentBytes = _recent.Sum(applied => (long)applied.Change.Weigh());
        Restore(image.Applied).CopyTo(_applied, 0);
        _replacement = image.Replacement is { } moment
            ? new(moment.State, moment.Revision, Restore(moment.Applied), moment.IsCleared)
            : null;
        _hasExpired = image.Replacement is { HasExpired: true };
        _cursors.Clear();
        foreach (var (client, isAttached, next, refused, process) in image.Cursors)
        {
            var cursor = _cursors[client] = new() { IsAttached = isAttached, Next = next, Process = process };
            foreach (var (sequence, why) in refused) cursor.Remember(sequence, why);
        }
    }

    private ValueList<SliceApplied> Capture(IReadOnlyList<AppliedMap> applied) =>
        app.Stored.Select(slice => new SliceApplied(slice.Name, SessionImages.Of(applied[slice.Index]))).ToValueList();

    private AppliedMap[] Restore(ValueList<SliceApplied> image)
    {
        var applied = app.Stored.Select(_ => AppliedMap.Empty).ToArray();
        foreach (var (name, clients) in image)
        {
            if (app.FindSlice(name) is { IsStored: true } slice) applied[slice.Index] = SessionImages.ToMap(clients);
        }
        return applied;
    }
}

internal static class SessionImages
{
    public static ValueList<ClientSequence> Of(AppliedMap applied) =>
        applied.Entries.Select(each => new ClientSequence(each.Client, each.Sequence, each.Day, each.HasLeft)).ToValueList();

    public static AppliedMap ToMap(ValueList<ClientSequence> clients) =>
        new([.. clients.Select(each => new AppliedEntry(each.Client, each.Sequence, each.Day, each.HasLeft))]);
}
