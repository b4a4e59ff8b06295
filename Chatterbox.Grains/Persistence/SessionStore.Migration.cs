namespace Chatterbox.Grains.Persistence;

/// <summary>What an activation knows of its rows, on its way to another silo.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.StoreImage")]
internal sealed record StoreImage
{
    /// <summary>A silo of another schema loads the rows, which it migrates, instead of going on with a state it may read otherwise.</summary>
    [Id(0)] public int SchemaVersion { get; init; }

    [Id(1)] public ValueList<SlotImage> Slots { get; init; } = [];
    [Id(2)] public MarkerImage Marker { get; init; } = new(null, null, 0);
    [Id(3)] public string? ReadOnly { get; init; }
    [Id(4)] public ValueList<string> Notices { get; init; } = [];
    [Id(5)] public long RowWrites { get; init; }
    [Id(6)] public long BytesWritten { get; init; }
    [Id(7)] public Unkept? Expired { get; init; }
}

/// <summary>
/// A slice's row as it is known. Values that are the session's own travel as references to it, so that what is saved stays saved.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SlotImage")]
internal sealed record SlotImage
{
    [Id(0)] public Slice Slice { get; init; }
    [Id(1)] public string? ETag { get; init; }
    [Id(2)] public int Length { get; init; }
    [Id(3)] public object? Written { get; init; }
    [Id(4)] public object? WrittenSource { get; init; }
    [Id(5)] public int? StoredVersion { get; init; }
    [Id(6)] public Unpreserved? Unpreserved { get; init; }
    [Id(7)] public DateTimeOffset? SavedAt { get; init; }
    [Id(8)] public byte[]? UncertainBytes { get; init; }
    [Id(9)] public object? UncertainValue { get; init; }
    [Id(10)] public object? UncertainSource { get; init; }
    [Id(11)] public int? UncertainVersion { get; init; }
}

[GenerateSerializer, Immutable, Alias("chatterbox.MarkerImage")]
internal sealed record MarkerImage([property: Id(0)] WorkInHand? Written, [property: Id(1)] string? ETag, [property: Id(2)] int Length);

/// <summary>Taking what is known of the rows along to another silo, which then need not read them.</summary>
internal sealed partial class SessionStore
{
    public StoreImage Capture() => new()
    {
        SchemaVersion = migrations.CurrentVersion,
        Slots = _slots.Select(slot => slot.Capture()).ToValueList(),
        Marker = Marker.Capture(),
        ReadOnly = ReadOnly,
        Notices = Notices.ToValueList(),
        RowWrites = RowWrites,
        BytesWritten = BytesWritten,
        Expired = _expired,
    };

    /// <summary>False when this build has another schema or other slices: then the rows have to be loaded.</summary>
    public bool TryRestore(StoreImage image)
    {
        if (image.SchemaVersion != migrations.CurrentVersion) return false;
        if (!image.Slots.Select(slot => slot.Slice).SequenceEqual(SliceDefinition.All.Select(slice => slice.Slice))) return false;
        _slots = [.. image.Slots.Zip(SliceDefinition.All, (slot, slice) => SliceSlot.Restore(slot, slice, new(storage, owner, slice.Name)))];
        Marker.Restore(image.Marker);
        (ReadOnly, Notices, RowWrites, BytesWritten, _expired) = (image.ReadOnly, image.Notices, image.RowWrites, image.BytesWritten, image.Expired);
        return true;
    }
}

internal sealed partial class SliceSlot
{
    public SlotImage Capture() => new()
    {
        Slice = Slice.Slice,
        ETag = Row.ETag,
        Length = Row.Length,
        Written = Written,
        WrittenSource = WrittenSource,
        StoredVersion = StoredVersion,
        Unpreserved = Unpreserved,
        SavedAt = SavedAt,
        UncertainBytes = Uncertain?.Bytes,
        UncertainValue = Uncertain?.Value,
        UncertainSource = Uncertain?.Source,
        UncertainVersion = Uncertain?.Version,
    };

    public static SliceSlot Restore(SlotImage image, SliceDefinition slice, StoredRow row)
    {
        row.Resume(image.ETag, image.Length);
        return new(slice, row)
        {
            Written = image.Written,
            WrittenSource = image.WrittenSource,
            StoredVersion = image.StoredVersion,
            Unpreserved = image.Unpreserved,
            SavedAt = image.SavedAt,
            Uncertain = image is { UncertainBytes: { } bytes, UncertainValue: { } value, UncertainSource: { } source } 
                ? new(bytes, value, source, image.UncertainVersion) : null,
        };
    }
}
