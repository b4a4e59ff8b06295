using Microsoft.Data.Sqlite;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Whether the open database is still what its path names. A file that is removed or replaced stays open, takes every commit, and is
/// gone when it is closed. Once that is seen the files count as lost for good: what SQLite would do with a new file beside the old
/// ones that are still open is corrupt it.
/// </summary>
internal sealed class SqliteFiles(string path)
{
    private static readonly string[] Logs = ["-wal", "-shm"];

    private FileIdentity? _database;
    private FileIdentity?[]? _logs;
    private string? _lost;

    /// <summary>Called when the database has been opened and read, so that all its files are there.</summary>
    public void Opened()
    {
        _database ??= FileIdentity.Of(path);
        _logs = [.. Logs.Select(suffix => FileIdentity.Of(path + suffix))];
    }

    /// <summary>Called when the connection is closed: its log may go with it.</summary>
    public void Closed() => _logs = null;

    /// <exception cref="SqliteException">The files have been removed or replaced, now or earlier.</exception>
    public void Check()
    {
        if (_lost is null && _database is not null && FileIdentity.Of(path) != _database)
        {
            _lost = path;
            MoveLogs();
        }
        for (var log = 0; _lost is null && log < _logs?.Length; log++)
            if (FileIdentity.Of(path + Logs[log]) != _logs[log])
                _lost = path + Logs[log];
        if (_lost is not null)
            throw new SqliteException($"{_lost} was removed or replaced while the silo was using it. Nothing more is written to it; "
                + "put the file back, or restore a backup, and restart the silo.", SQLitePCL.raw.SQLITE_CANTOPEN);
    }

    /// <summary>The log of the file that is gone would corrupt the one that has its name now. Moved, since the old file may have been too.</summary>
    private void MoveLogs()
    {
        for (var log = 0; log < _logs?.Length; log++)
        {
            var name = path + Logs[log];
            if (FileIdentity.Of(name) is not { } found || found != _logs[log])
                continue;
            try
            {
                File.Move(name, name + ".of-replaced-file", overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another connection has just moved it, or the folder cannot be written: the error that follows names the file.
            }
        }
    }
}
