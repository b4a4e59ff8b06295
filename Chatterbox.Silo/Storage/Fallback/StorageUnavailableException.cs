namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>The database is away and was not asked again yet. Nothing was written to it.</summary>
public sealed class StorageUnavailableException(string message) : Exception(message);
