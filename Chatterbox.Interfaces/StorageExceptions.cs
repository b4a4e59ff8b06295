namespace Chatterbox;

/// <summary>
/// The session's database is unavailable: it cannot be loaded, or saved, at present, and is tried again. The call that met this has
/// changed nothing in the database.
/// </summary>
[GenerateSerializer, Alias("chatterbox.StorageUnavailableException")]
public sealed class StorageUnavailableException(string message) : Exception(message);

/// <summary>
/// The write was sent, and whether it was committed is not known: the connection broke, or time ran out. Writing again with the
/// same etag is safe; a conflict then means that it was, or that another writer was faster. Reading tells.
/// </summary>
[GenerateSerializer, Alias("chatterbox.WriteOutcomeUnknownException")]
public sealed class WriteOutcomeUnknownException(string message) : TimeoutException(message);

/// <summary>The database refused a row for what it is, or kept it locked for too long. Nothing was written of it, and no other row is concerned.</summary>
[GenerateSerializer, Alias("chatterbox.StorageRejectedException")]
public sealed class StorageRejectedException(string message) : Exception(message);
