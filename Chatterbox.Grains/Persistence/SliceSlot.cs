using Chatterbox.Grains.Session;

namespace Chatterbox.Grains.Persistence;

/// <param name="Version">The schema version that the row has then; null when it holds no state.</param>
internal sealed record UncertainWrite(byte[] Bytes, object Value, object Source, int? Version, AppliedMap Applied,
    DateTimeOffset? SavedAt);

/// <summary>One slice's row, and what this session knows of it.</summary>
internal sealed partial class SliceSlot(SliceDefinition slice, StoredRow row)
{
    public SliceDefinition Slice { get; } = slice;

    public StoredRow Row { get; } = row;

    /// <summary>The value that the row holds; null when the row has to be written whatever the value.</summary>
    public object? Written { get; set; }

    /// <summary>The slice of the state that <see cref="Written"/> was made from.</summary>
    public object? WrittenSource { get; set; }

    /// <summary>The schema version in the row; null when it holds no state.</summary>
    public int? StoredVersion { get; set; }

    /// <summary>The clients that the row remembers.</summary>
    public AppliedMap WrittenApplied { get; set; }

    /// <summary>When the row was written, where that matters: in a store that expires.</summary>
    public DateTimeOffset? SavedAt { get; set; }

    /// <summary>A write whose outcome is not known: it may have been committed, or still be.</summary>
    public UncertainWrite? Uncertain { get; set; }

    /// <summary>
    /// By reference: changes that cancel each other out leave an equal value, but their sequences have to be stored with it. A
    /// value made anew from the same slice is another matter: that is only how partialize works.
    /// </summary>
    public bool Holds(object value, object source) =>
        Written is not null
            && (ReferenceEquals(value, Written) || (ReferenceEquals(source, WrittenSource) && value.Equals(Written)));
}
