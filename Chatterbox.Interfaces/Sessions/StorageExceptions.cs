namespace Chatterbox;

/// <summary>
/// The session's database is unavailable: it cannot be loaded or saved at present, which is retried. The failed call has changed
/// nothing in the database.
/// </summary>
[GenerateSerializer, Alias("chatterbox.StorageUnavailableException")]
public sealed class StorageUnavailableException(string message) : Exception(message);

/// <summary>
/// The write was sent, but it is not known whether it was committed: the connection broke or timed out. Writing again with the
/// same etag is safe; a conflict then means that it was committed, or that another writer was faster. A read tells which.
/// </summary>
[GenerateSerializer, Alias("chatterbox.WriteOutcomeUnknownException")]
public sealed class WriteOutcomeUnknownException(string message) : TimeoutException(message);

/// <summary>
/// The database refused a row because of its content, or kept it locked for too long. Nothing of it was written, and no other row
/// is affected.
/// </summary>
[GenerateSerializer, Alias("chatterbox.StorageRejectedException")]
public sealed class StorageRejectedException(string message) : Exception(message);
