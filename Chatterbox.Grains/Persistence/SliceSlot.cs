using Chatterbox.Grains.Session;

namespace Chatterbox.Grains.Persistence;

/// <param name="Version">The schema version that the row then has; null when it holds no state.</param>
internal sealed record UncertainWrite(byte[] Bytes, object Value, object Source, int? Version, AppliedMap Applied,
    DateTimeOffset? SavedAt);

/// <summary>One slice's row, and the session's knowledge of it.</summary>
internal sealed partial class SliceSlot(SliceDefinition slice, StoredRow row)
{
    public SliceDefinition Slice { get; } = slice;

    public StoredRow Row { get; } = row;

    /// <summary>The value in the row; null when the row must be written for any value.</summary>
    public object? Written { get; set; }

    /// <summary>The slice of the state that <see cref="Written"/> was made from.</summary>
    public object? WrittenSource { get; set; }

    /// <summary>The schema version in the row; null when it holds no state.</summary>
    public int? StoredVersion { get; set; }

    /// <summary>The clients that the row remembers.</summary>
    public AppliedMap WrittenApplied { get; set; }

    /// <summary>When the row was written; only in stores that expire.</summary>
    public DateTimeOffset? SavedAt { get; set; }

    /// <summary>A write with unknown outcome: it may have been or still be committed.</summary>
    public UncertainWrite? Uncertain { get; set; }

    /// <summary>
    /// By reference: changes that cancel each other out leave an equal value, but their sequences have to be stored with it. A
    /// value from the same slice is compared by equality: partialize may create a new instance.
    /// </summary>
    public bool Holds(object value, object source) =>
        Written is not null
            && (ReferenceEquals(value, Written) || (ReferenceEquals(source, WrittenSource) && value.Equals(Written)));
}
