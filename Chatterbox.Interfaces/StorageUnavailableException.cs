namespace Chatterbox;

/// <summary>
/// The session's database is away: it cannot be loaded, or saved, at present, and is tried again. The call that met this has changed
/// nothing in the database.
/// </summary>
[GenerateSerializer, Alias("chatterbox.StorageUnavailableException")]
public sealed class StorageUnavailableException(string message) : Exception(message);
