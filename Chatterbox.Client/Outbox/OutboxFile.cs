using System.Buffers;

namespace Chatterbox.Client.Outbox;

/// <summary>
/// A store's outbox on disk. The file exists while the session may know its client: from the first change until a detach with an
/// empty outbox. Not thread-safe.
/// </summary>
/// <remarks>
/// The lock is a separate file that is never deleted: a file that is replaced or deleted could be opened just before and locked
/// just after.
/// </remarks>
internal sealed class OutboxFile : IDisposable
{
    /// <summary>A file up to this size is not compacted.</summary>
    private const int CompactAbove = 64 * 1024;

    private readonly string _path;
    private readonly AppDefinition _app;
    private readonly FileStream _lock;
    private readonly bool _flush;
    private readonly Func<string, FileMode, Stream> _open;
    private Stream? _file;
    private long _headLength;
    private long _length;
    private bool _disposed;

    private OutboxFile(
        string path, AppDefinition app, FileStream held, bool flush, Func<string, FileMode, Stream>? open) =>
        (_path, _app, _lock, _flush, _open) = (path, app, held, flush, open ?? Open);

    public OutboxHead Head { get; private set; } = null!;

    public string Path => _path;

    public long Length => _length;

    /// <summary>The unsent changes of an earlier run.</summary>
    public IReadOnlyList<OutboxEntry> Recovered { get; private set; } = [];

    /// <summary>The damage found, and the copy of the file.</summary>
    public IReadOnlyList<string> Notices { get; private set; } = [];

    /// <summary>Opens the outbox of this name; null when another process has it open, or a newer client wrote it.</summary>
    /// <exception cref="OutboxUnavailableException">It can be neither read nor written.</exception>
    public static OutboxFile? TryOpen(
        string path, AppDefinition app, string session, string newClient, bool flush, TimeProvider clock,
        Func<string, FileMode, Stream>? open = null)
    {
        FileStream? held = null;
        try
        {
            held = TryLock($"{path}.lock");
            if (held is null) return null;
            var file = new OutboxFile(path, app, held, flush, open);
            if (!file.Load(session, newClient, clock)) return null;
            held = null;
            return file;
        }
        catch (Exception failure)
            when (failure is (IOException or UnauthorizedAccessException) and not OutboxUnavailableException)
        {
            throw new OutboxUnavailableException(path, failure.Message, failure);
        }
        finally
        {
            held?.Dispose();
        }
    }

    /// <summary>
    /// Writes all of the changes or none: to the operating system, or flushed to disk if configured.
    /// </summary>
    /// <exception cref="OutboxUnavailableException">The changes could not be written.</exception>
    public void Append(IReadOnlyList<(long Sequence, byte[] Change)> changes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (changes.Count == 0) return;
        var buffer = new ArrayBufferWriter<byte>();
        var head = _file is null ? OutboxFormat.Head(Head) : [];
        buffer.Write(head);
        foreach (var (sequence, change) in changes) OutboxFormat.Change(buffer, sequence, change);
        Write(buffer.WrittenSpan);
        if (head.Length > 0) _headLength = head.Length;
    }

    /// <summary>
    /// Marks changes as settled. If that cannot be written they are sent again after a crash, and the session recognizes them.
    /// </summary>
    /// <param name="left">What is still to be sent.</param>
    /// <exception cref="OutboxUnavailableException">It cannot be written.</exception>
    public void Remove(IReadOnlyList<long> sequences, OutboxQueue left)
    {
        if (_file is null) return;
        if (left.Count == 0)
        {
            Truncate(_headLength);
            return;
        }
        var buffer = new ArrayBufferWriter<byte>();
        OutboxFormat.Gone(buffer, sequences);
        Write(buffer.WrittenSpan);
        if (_length > CompactAbove + 4 * left.Bytes) Rewrite(left.All);
    }

    /// <summary>
    /// Call when everything is durable and before the session forgets this client: empties the file so that no power failure
    /// restores a change.
    /// </summary>
    /// <exception cref="OutboxUnavailableException">The file could not be emptied durably.</exception>
    public void Empty()
    {
        if (_file is null) return;
        try
        {
            Truncate(_headLength);
            Flush(_file);
        }
        catch (IOException failure)
        {
            throw new OutboxUnavailableException(_path, failure.Message, failure);
        }
    }

    /// <summary>The session has forgotten this client: later changes need a new client id.</summary>
    public void Delete()
    {
        _file?.Dispose();
        _file = null;
        File.Delete(_path);
    }

    public void Dispose()
    {
        _disposed = true;
        _file?.Dispose();
        _file = null;
        _lock.Dispose();
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException busy) when (IsSharingViolation(busy))
        {
            return null;
        }
    }

    // The error codes of Windows, Linux and macOS.
    private static bool IsSharingViolation(IOException failure) => failure.HResult is unchecked((int)0x80070020) or 11 or 35;

    private static FileStream Open(string path, FileMode mode) =>
        new(path, mode, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0);

    private bool Load(string session, string newClient, TimeProvider clock)
    {
        Head = new(newClient, session, Run: 1);
        if (!File.Exists(_path)) return true;

        var content = OutboxFormat.Read(File.ReadAllBytes(_path), _app);
        if (content.Version > OutboxFormat.Version) return false;
        if (content.Head is { } other && other.Session != session) content.Damage.Add($"it belongs to {other.Session}");
        var isUsable = content.Head?.Session == session;
        if (content.Damage.Count > 0) Notices = [SetAside(content, isUsable ? content.Count : 0, clock)];
        if (!isUsable)
        {
            File.Delete(_path);
            return true;
        }
        Head = content.Head! with { Run = content.Head.Run + 1 };
        Recovered = content.Entries();
        Rewrite(Recovered);
        return true;
    }

    private string SetAside(OutboxContent content, int usable, TimeProvider clock)
    {
        var stem = $"{_path}.damaged-{clock.GetUtcNow():yyyyMMddHHmmss}";
        var aside = stem;
        for (var number = 2; File.Exists(aside); number++) aside = $"{stem}-{number}";
        File.Copy(_path, aside);
        return $"The outbox {_path} is damaged ({string.Join(", ", content.Damage)}). "
            + $"{usable} readable change(s) will still be sent; the damaged file is kept as {aside}.";
    }

    /// <summary>Replaces the file by one that holds only these: at any time one of the two exists, complete.</summary>
    private void Rewrite(IEnumerable<OutboxEntry> entries)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var head = OutboxFormat.Head(Head);
        buffer.Write(head);
        foreach (var entry in entries.Where(entry => entry.Change.Slice.IsStored))
        {
            OutboxFormat.Change(buffer, entry.Sequence, OutboxFormat.Encode(entry.Change));
        }
        var next = $"{_path}.new";
        Stream? file = null;
        try
        {
            file = _open(next, FileMode.Create);
            file.Write(buffer.WrittenSpan);
            Flush(file);
            File.Move(next, _path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new OutboxUnavailableException(_path, failure.Message, failure);
        }
        _file?.Dispose();
        (_file, _headLength, _length) = (file, head.Length, buffer.WrittenCount);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file ??= _open(_path, FileMode.Create);
            _file.Position = _length;
            _file.Write(bytes);
            if (_flush) Flush(_file);
            _length += bytes.Length;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            TakeBack();
            throw new OutboxUnavailableException(_path, failure.Message, failure);
        }
    }

    // A partly written line must not be read as a change: at the latest, the next write overwrites it.
    private void TakeBack()
    {
        try
        {
            if (_length > 0) _file?.SetLength(_length);
            else Delete();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The disk still fails.
        }
    }

    private void Truncate(long length)
    {
        try
        {
            _file!.SetLength(length);
            _length = length;
        }
        catch (IOException failure)
        {
            throw new OutboxUnavailableException(_path, failure.Message, failure);
        }
    }

    private static void Flush(Stream file)
    {
        if (file is FileStream onDisk) onDisk.Flush(flushToDisk: true);
        else file.Flush();
    }
}
