using Orleans.Storage;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// A grain storage for an application's own grains: <see cref="ChatterboxStorageExtensions.AddChatterboxGrainStorage"/>.
/// </summary>
public sealed class ChatterboxGrainStorageOptions
{
    /// <summary>
    /// The database; null, the default, is the one that <see cref="ChatterboxStorageExtensions.AddChatterboxStorage"/> was given.
    /// </summary>
    public DatabaseOptions? Database { get; set; }

    /// <summary>
    /// Between a grain's state and the bytes in its row. Null, the default, is the one that is registered under the storage's
    /// name,
    /// or else Orleans' default (<c>IGrainStorageSerializer</c>), as for the stock provider.
    /// </summary>
    public IGrainStorageSerializer? GrainStorageSerializer { get; set; }

    /// <summary>
    /// Whether clearing a state deletes its row. Default false, as for the stock provider: the row stays as a version without a
    /// payload,
    /// so that a writer with an older etag meets a conflict.
    /// </summary>
    public bool DeleteStateOnClear { get; set; }
}
