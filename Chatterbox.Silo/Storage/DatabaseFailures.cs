using System.Data.Common;
using System.Net.Sockets;
using Chatterbox.Silo.Storage.GroupCommit;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Turns a driver's exceptions into the product's, as group commit does: the caller may be on another machine, which does not
/// have the
/// driver. Other exceptions pass: conflicts, cancellations, faults of a serializer.
/// </summary>
internal sealed class DatabaseFailures(DatabaseDialect dialect)
{
    /// <exception cref="StorageUnavailableException">The database did not answer.</exception>
    /// <exception cref="StorageRejectedException">The database refused the row.</exception>
    public async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception failure) when (IsDriver(failure))
        {
            throw dialect.Classify(failure) is BatchFailure.Row
                ? Rejected(failure)
                : new StorageUnavailableException(failure.Message);
        }
    }

    /// <exception cref="StorageUnavailableException">The database did not answer, and has written nothing.</exception>
    /// <exception cref="WriteOutcomeUnknownException">The database did not answer, and may have written it.</exception>
    /// <exception cref="StorageRejectedException">The database refused the row.</exception>
    public async Task WriteAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception failure) when (IsDriver(failure))
        {
            throw dialect.Classify(failure) switch
            {
                BatchFailure.Unknown =>
                    new WriteOutcomeUnknownException($"The connection was lost during the write: {failure.Message}"),
                BatchFailure.Unavailable or BatchFailure.Stale => new StorageUnavailableException(failure.Message),
                _ => Rejected(failure),
            };
        }
    }

    private static bool IsDriver(Exception failure) => failure
        is DbException or SocketException or IOException or TimeoutException
        or InvalidOperationException and not ObjectDisposedException;

    private static StorageRejectedException Rejected(Exception failure) =>
        new($"The database refused the row: {failure.Message}");
}
