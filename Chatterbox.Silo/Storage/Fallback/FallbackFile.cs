using System.Globalization;
using System.Security.Cryptography;
using Chatterbox.Silo.Settings;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace Chatterbox.Silo.Storage.Fallback;

/// <summary>
/// The local file: for each row and etag the last frame. A session that keeps trying saves the same row under the same etag with
/// more and more in it; the last holds it all. Each frame says for which database and service it is; those of others are counted
/// and stay. Used while the database is unavailable, so it is made to be safe, not fast.
/// </summary>
/// <remarks>A file that SQLite finds damaged is moved to another name, and its readable frames go into a new one.</remarks>
/// <param name="limit">Bytes. A frame that does not fit is refused; those that are in the file stay.</param>
internal sealed class FallbackFile(string path, TimeProvider clock, long limit = DatabaseOptions.DefaultFallbackBytes)
    : IDisposable
{
    private const string LimitSetting = "Chatterbox__Database__FallbackBytes";

    private readonly SemaphoreSlim _lock = new(1);
    private readonly FallbackTables _tables = new(path, limit);
    private readonly FallbackIndex _index = new();
    private FallbackOwner? _owner;
    private int _foreign;

    public string Location => path;

    /// <summary>Rows of this silo's database and service with frames here.</summary>
    public int Count => _index.Count;

    /// <summary>Frames for other databases or services.</summary>
    public int ForeignCount => Volatile.Read(ref _foreign);

    /// <summary>Raised after a damaged file was moved: to where, and what was found wrong.</summary>
    public event Action<string, string>? Moved;

    /// <summary>Asked before the silo starts: a file that cannot be written is the operator's to put right.</summary>
    /// <exception cref="SettingsException"/>
    public static void EnsureWritable(string path)
    {
        try
        {
            using var tables = new FallbackTables(path, DatabaseOptions.DefaultFallbackBytes);
            tables.Open();
        }
        catch (SqliteException e) when (FallbackTables.IsDamage(e))
        {
            // OpenAsync moves it.
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw SettingsException.For("Chatterbox:Database:Fallback", path,
                $"a file that this user can write to, or none ({e.Message})", e);
        }
    }

    /// <summary>Answered from memory: it is asked for every read and write.</summary>
    public bool Contains(string stateName, GrainId grain) => _index.Contains(stateName, grain);

    public int CountOf(GrainId grain) => _index.CountOf(grain);

    public Task OpenAsync(FallbackOwner owner)
    {
        _owner = owner;
        return RunAsync(() => true);
    }

    /// <summary>A frame that is the last one that was saved for its row is not written again.</summary>
    /// <param name="isSent">The database may have got it and only its answer is missing.</param>
    /// <exception cref="FallbackFileException">It is not kept: the file is full, or cannot be written.</exception>
    public Task SaveAsync(string stateName, GrainId grain, string? etag, byte[] bytes, bool isSent) => RunAsync(() =>
    {
        var saved = new SavedFrame(etag ?? "", SHA256.HashData(bytes), isSent);
        if (_index.LastOf(stateName, grain) is { } last && last.Covers(saved.ETag, saved.Digest, isSent))
            return false;
        try
        {
            Save(Owner, stateName, grain, saved, bytes, clock.GetUtcNow().ToString("u", CultureInfo.InvariantCulture));
            return true;
        }
        catch (SqliteException full) when (full.SqliteErrorCode is SQLITE_FULL)
        {
            throw new FallbackFileException(
                $"{path} has no room for a row of {bytes.Length} bytes: {_tables.UsedBytes()} of the {limit} bytes "
                + $"that {LimitSetting} allows are used, and its disk has {FreeBytes()} bytes free", full);
        }
    });

    /// <summary>What is to be replayed, in the order of saving.</summary>
    public Task<List<long>> ListAsync() => RunAsync(() => _tables.NumbersOf(Owner));

    public Task<List<long>> ListAsync(string stateName, GrainId grain) =>
        RunAsync(() => _tables.NumbersOf(Owner, stateName, grain));

    /// <summary>Null when it is gone: the database has it, or a later one replaced it here.</summary>
    public Task<FallbackFrame?> FindAsync(long number) => RunAsync(() => _tables.Find(number));

    /// <summary>The database has a later frame of the row than any here.</summary>
    public Task ForgetAsync(string stateName, GrainId grain) => RunAsync(() =>
    {
        _tables.Forget(Owner, stateName, grain);
        _index.Remove(stateName, grain);
        return true;
    });

    /// <summary>The database has this frame, unless a later one replaced it here meanwhile.</summary>
    public Task RemoveAsync(FallbackFrame frame) => RunAsync(() =>
    {
        _tables.Remove(frame);
        if (_tables.NumbersOf(frame.Owner, frame.StateName, frame.Grain).Count == 0)
            _index.Remove(frame.StateName, frame.Grain);
        return true;
    });

    public void Close() => _tables.Close();

    public void Dispose()
    {
        _tables.Dispose();
        _lock.Dispose();
    }

    private FallbackOwner Owner => _owner ?? throw new InvalidOperationException("The fallback file has not been opened.");

    /// <summary>One at a time, and off the caller's thread: the driver is synchronous, and the caller may be a grain.</summary>
    private async Task<T> RunAsync<T>(Func<T> action)
    {
        await _lock.WaitAsync().ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Run(action)).ConfigureAwait(false);
        }
        finally
        {
            _lock.Release();
        }
    }

    private T Run<T>(Func<T> action)
    {
        try
        {
            try
            {
                Open();
                return action();
            }
            catch (SqliteException damage) when (FallbackTables.IsDamage(damage))
            {
                Rebuild(damage.Message);
                return action();
            }
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            // Of another type than what the database throws, which may be SQLite as well.
            throw new FallbackFileException($"{path}: {failure.Message}", failure);
        }
    }

    private void Open()
    {
        if (_tables.IsOpen)
            return;
        _tables.Open();
        if (_owner is null)
            return;
        try
        {
            foreach (var (stateName, grain) in _tables.RowsOf(_owner))
                _index.Add(stateName, grain, saved: null);
            Volatile.Write(ref _foreign, _tables.CountForeign(_owner));
        }
        catch
        {
            // The next call reads them.
            _tables.Close();
            throw;
        }
    }

    /// <summary>Moves the damaged file to another name and saves its readable frames into a new one.</summary>
    private void Rebuild(string reason)
    {
        var readable = ReadUndamaged();
        _tables.Close();
        var damaged = $"{path}.damaged-{clock.GetUtcNow():yyyyMMddHHmmssfff}";
        foreach (var part in (string[])["", "-wal", "-shm"])
            if (File.Exists(path + part))
                File.Move(path + part, damaged + part);
        _index.Clear();
        Open();
        foreach (var frame in readable)
            Save(frame.Owner, frame.StateName, frame.Grain, new(frame.ETag ?? "", SHA256.HashData(frame.Bytes), IsSent: true),
                frame.Bytes, frame.SavedAt);
        Moved?.Invoke(damaged, $"{reason}; {readable.Count} of its frames could be read");
    }

    /// <summary>The frames of a damaged file that can be read, one at a time.</summary>
    private List<FallbackFrame> ReadUndamaged()
    {
        var frames = new List<FallbackFrame>();
        try
        {
            _tables.OpenUnchecked();
            foreach (var number in _tables.AllNumbers())
            {
                try
                {
                    if (_tables.Find(number) is { IsDamaged: false } frame)
                        frames.Add(frame);
                }
                catch (SqliteException)
                {
                    // The next may be in a part that is whole.
                }
            }
        }
        catch (SqliteException)
        {
            // As far as it can be read.
        }
        return frames;
    }

    private void Save(FallbackOwner owner, string stateName, GrainId grain, SavedFrame saved, byte[] bytes, string savedAt)
    {
        _tables.Save(owner, stateName, grain, saved, bytes, savedAt);
        if (owner == _owner)
            _index.Add(stateName, grain, saved);
        else
            Interlocked.Increment(ref _foreign);
    }

    private string FreeBytes()
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "an unknown number of";
        }
    }
}
