using Microsoft.Data.Sqlite;

namespace Chatterbox.Silo.Storage;

/// <summary>
/// Whether the open database is still what its path names. A file that is removed or replaced stays open, takes every commit, and
/// is
/// gone when it is closed. Once that is seen the files count as lost for good: SQLite would corrupt a new file by the logs of the
/// old
/// one, which are still open. For one thread at a time.
/// </summary>
internal sealed class SqliteFiles(string path)
{
    private static readonly string[] LogSuffixes = ["-wal", "-shm"];

    private readonly NamedFile _databaseFile = new(path);
    private readonly NamedFile[] _logFiles = [.. LogSuffixes.Select(suffix => new NamedFile(path + suffix))];

    // As they were when they were opened.
    private FileIdentity? _database;
    private FileIdentity?[]? _logs;
    private string? _lost;

    /// <summary>Called when the database has been opened and read, so that all its files are there.</summary>
    public void Opened()
    {
        _database ??= _databaseFile.Find();
        _logs = [.. _logFiles.Select(file => file.Find())];
    }

    /// <summary>Called when the connection is closed: its logs may be deleted with it.</summary>
    public void Closed() => _logs = null;

    /// <exception cref="SqliteException">The files have been removed or replaced, now or earlier.</exception>
    public void Check()
    {
        if (_lost is null && _database is not null && _databaseFile.Find() != _database)
        {
            _lost = path;
            MoveLogs();
        }
        for (var log = 0; _lost is null && log < _logs?.Length; log++)
            if (_logFiles[log].Find() != _logs[log])
                _lost = _logFiles[log].Path;
        if (_lost is not null)
            throw new SqliteException(
                $"{_lost} was removed or replaced while the silo was using it. Nothing more is written to it; "
                + "put the file back, or restore a backup, and restart the silo.", SQLitePCL.raw.SQLITE_CANTOPEN);
    }

    /// <summary>
    /// The logs of the file that is gone would corrupt the one that has its name now. They may have been replaced as well.
    /// </summary>
    private void MoveLogs()
    {
        for (var log = 0; log < _logs?.Length; log++)
        {
            var name = _logFiles[log].Path;
            if (_logFiles[log].Find() is not { } found || found != _logs[log])
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

/// <summary>
/// The same for whoever has no connection of their own to keep an eye on: the database's file alone, at any time, from any
/// thread.
/// </summary>
internal sealed class SqliteFileWatch
{
    private readonly Lock _gate = new();
    private readonly SqliteFiles _files;

    /// <summary>Of the file that the path names now.</summary>
    public SqliteFileWatch(string path)
    {
        _files = new SqliteFiles(path);
        _files.Opened();
        // The logs come and go with connections.
        _files.Closed();
    }

    /// <exception cref="SqliteException">It has been removed or replaced since.</exception>
    public void Check()
    {
        lock (_gate) _files.Check();
    }
}
