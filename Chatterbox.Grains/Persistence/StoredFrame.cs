using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// The value in grain storage: opaque bytes. They are decoded inside the session's activation, so that an unreadable row loses
/// one slice and never prevents the activation.
/// </summary>
public sealed class StoredFrame
{
    public byte[] Bytes { get; set; } = [];

    /// <summary>
    /// Set by a reader on the state it passes in: if the database accepts no writes, it may get a frame that is not saved yet
    /// (<see cref="IsPending"/>) instead of an error.
    /// </summary>
    public bool AcceptsPending { get; init; }

    /// <summary>
    /// The bytes come from the local fallback file and are not saved: they belong to the stored row with the read etag.
    /// </summary>
    public bool IsPending { get; init; }
}

/// <summary>Stores <see cref="StoredFrame"/> unchanged in the payload column.</summary>
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
