namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// The write was sent, and nobody can say whether it was committed: the connection broke, or time ran out. Writing again with the
/// same etag is safe; a conflict then means that it was, or that another writer was faster. Reading tells.
/// </summary>
public sealed class WriteOutcomeUnknownException(string message, Exception? cause = null) : TimeoutException(message, cause);
