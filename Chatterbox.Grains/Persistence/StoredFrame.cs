using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// What grain storage sees of Chatterbox: opaque bytes. Decoding happens inside the session's activation, so that a row
/// nobody can read costs one slice and never a grain that cannot activate.
/// </summary>
public sealed class StoredFrame
{
    public byte[] Bytes { get; set; } = [];

    /// <summary>
    /// Set by a reader on the state it passes in: where the database takes no writes it may get a frame that is not saved yet
    /// (<see cref="IsPending"/>) instead of an error.
    /// </summary>
    public bool AcceptsPending { get; init; }

    /// <summary>
    /// The bytes come from the local fallback file and belong on the stored row with the etag read: they are not saved.
    /// </summary>
    public bool IsPending { get; init; }
}

/// <summary>Passes <see cref="StoredFrame"/> through to the payload column as it is.</summary>
public sealed class StoredFrameSerializer : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input) =>
        input is StoredFrame frame ? BinaryData.FromBytes(frame.Bytes) : throw Unsupported<T>();

    public T Deserialize<T>(BinaryData input) =>
        typeof(T) == typeof(StoredFrame)
            ? (T)(object)new StoredFrame { Bytes = input.ToArray() }
            : throw Unsupported<T>();

    private static NotSupportedException Unsupported<T>() =>
        new($"The '{ChatterboxStorage.Name}' storage holds {nameof(StoredFrame)} only, not {typeof(T)}.");
}
