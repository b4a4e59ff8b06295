using Chatterbox.Grains.Session;

namespace Chatterbox.Grains.Persistence;

/// <summary>What an activation knows of its rows, on its way to another silo.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.StoreImage")]
internal sealed record StoreImage
{
    /// <summary>
    /// A silo of another schema loads the rows, which it migrates, instead of going on with a state it may read otherwise.
    /// </summary>
    [Id(0)] public int SchemaVersion { get; init; }

    [Id(1)] public ValueList<SlotImage> Slots { get; init; } = [];
    [Id(2)] public RecoveryRowImage Recovery { get; init; } = new(null, null, 0);
    [Id(3)] public string? ReadOnly { get; init; }
    [Id(4)] public ValueList<string> Notices { get; init; } = [];
    [Id(5)] public long RowWrites { get; init; }
    [Id(6)] public long BytesWritten { get; init; }
    
    /// <summary>Entries of the history that are not stored yet.</summary>
    [Id(7)] public ValueList<HistoryBundle> History { get; init; } = [];

    [Id(8)] public long KnownRevision { get; init; }
}

/// <summary>
/// A slice's row as it is known. Values that are the session's own travel as references to it, so that what is saved stays saved.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SlotImage")]
internal sealed record SlotImage
{
    [Id(0)] public string Slice { get; init; } = "";
    [Id(1)] public string? ETag { get; init; }
    [Id(2)] public int Length { get; init; }
    [Id(3)] public object? Written { get; init; }
    [Id(4)] public object? WrittenSource { get; init; }
    [Id(5)] public int? StoredVersion { get; init; }
    [Id(6)] public ValueList<ClientSequence> Applied { get; init; } = [];
    [Id(7)] public DateTimeOffset? SavedAt { get; init; }
    [Id(8)] public byte[]? UncertainBytes { get; init; }
    [Id(9)] public object? UncertainValue { get; init; }
    [Id(10)] public object? UncertainSource { get; init; }
    [Id(11)] public int? UncertainVersion { get; init; }
    [Id(12)] public ValueList<ClientSequence> UncertainApplied { get; init; } = [];
    [Id(13)] public DateTimeOffset? UncertainSavedAt { get; init; }
}

/// <summary>Taking what is known of the rows along to another silo, which then need not read them.</summary>
internal sealed partial class SessionStore
{
    public StoreImage Capture() => new()
    {
        SchemaVersion = migrations.CurrentVersion,
        Slots = _slots.Select(slot => slot.Capture()).ToValueList(),
        Recovery = Recovery.Capture(),
        ReadOnly = ReadOnly,
        Notices = Notices.ToValueList(),
        RowWrites = RowWrites,
        BytesWritten = BytesWritten,
        History = History.Pending.ToValueList(),
        KnownRevision = _knownRevision,
    };

    /// <summary>False when this build has another schema or other slices: then the rows have to be loaded.</summary>
    public bool TryRestore(StoreImage image)
    {
        if (image.SchemaVersion != migrations.CurrentVersion) return false;
        if (!image.Slots.Select(slot => slot.Slice).SequenceEqual(App.Stored.Select(slice => slice.Name))) return false;
        _slots =
        [
            .. image.Slots.Zip(App.Stored,
                (slot, slice) => SliceSlot.Restore(slot, slice, new(storage, owner, slice.Name))),
        ];
        Recovery.Restore(image.Recovery);
        History.Restore(image.History);
        (ReadOnly, Notices, RowWrites, BytesWritten, _knownRevision) =
            (image.ReadOnly, image.Notices, image.RowWrites, image.BytesWritten, image.KnownRevision);
        return true;
    }
}

internal sealed partial class SliceSlot
{
    public SlotImage Capture() => new()
    {
        Slice = Slice.Name,
        ETag = Row.ETag,
        Length = Row.Length,
        Written = Written,
        WrittenSource = WrittenSource,
        StoredVersion = StoredVersion,
        Applied = SessionImages.Of(WrittenApplied),
        SavedAt = SavedAt,
        UncertainBytes = Uncertain?.Bytes,
        UncertainValue = Uncertain?.Value,
        UncertainSource = Uncertain?.Source,
        UncertainVersion = Uncertain?.Version,
        UncertainApplied = SessionImages.Of(Uncertain?.Applied ?? AppliedMap.Empty),
        UncertainSavedAt = Uncertain?.SavedAt,
    };

    public static SliceSlot Restore(SlotImage image, SliceDefinition slice, StoredRow row)
    {
        row.Resume(image.ETag, image.Length);
        return new(slice, row)
        {
            Written = image.Written,
            WrittenSource = image.WrittenSource,
            StoredVersion = image.StoredVersion,
            WrittenApplied = SessionImages.ToMap(image.Applied),
            SavedAt = image.SavedAt,
            Uncertain = image is { UncertainBytes: { } bytes, UncertainValue: { } value, UncertainSource: { } source }
                ? new(bytes, value, source, image.UncertainVersion, SessionImages.ToMap(image.UncertainApplied),
                    image.UncertainSavedAt) : null,
        };
    }
}
