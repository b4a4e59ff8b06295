using System.Buffers;

namespace Chatterbox.Client.Outbox;

/// <summary>
/// A store's outbox on disk. It is there while the session may know its client: from the first change until a good-bye with
/// nothing left to send. Not for several threads.
/// </summary>
/// <remarks>
/// The lock is a file of its own, which is never deleted: a file that is replaced or deleted could be opened just before, and
/// locked just after.
/// </remarks>
internal sealed class OutboxFile : IDisposable
{
    /// <summary>So long a file is let be, however little of it is still of use.</summary>
    private const int NotWorthIt = 64 * 1024;

    private readonly string _path;
    private readonly FileStream _lock;
    private readonly bool _flush;
    private readonly Func<string, FileMode, Stream> _open;
    private Stream? _file;
    private long _headLength;
    private long _length;
    private bool _disposed;

    private OutboxFile(string path, FileStream held, bool flush, Func<string, FileMode, Stream>? open) =>
        (_path, _lock, _flush, _open) = (path, held, flush, open ?? Open);

    public OutboxHead Head { get; private set; } = null!;

    public string Path => _path;

    public long Length => _length;

    /// <summary>What an earlier run has left to be sent.</summary>
    public IReadOnlyList<OutboxEntry> Recovered { get; private set; } = [];

    /// <summary>What was found wrong, and where the bytes are.</summary>
    public IReadOnlyList<string> Notices { get; private set; } = [];

    /// <summary>Takes up the outbox of this name; null when another has it, or a newer client wrote it.</summary>
    /// <exception cref="OutboxUnavailableException">It can be neither read nor written.</exception>
    public static OutboxFile? TryOpen(
        string path, string session, string newClient, bool flush, TimeProvider clock, Func<string, FileMode, Stream>? open = null)
    {
        FileStream? held = null;
        try
        {
            held = TryLock($"{path}.lock");
            if (held is null) return null;
            var file = new OutboxFile(path, held, flush, open);
            if (!file.Load(session, newClient, clock)) return null;
            held = null;
            return file;
        }
        catch (Exception failure) when (failure is (IOException or UnauthorizedAccessException) and not OutboxUnavailableException)
        {
            throw new OutboxUnavailableException(path, failure.Message, failure);
        }
        finally
        {
            held?.Dispose();
        }
    }

    /// <summary>Returns once the changes are with the operating system, or on disk where that is asked for: all of them, or none.</summary>
    /// <exception cref="OutboxUnavailableException">They are not.</exception>
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
    /// These need not be sent any more. Where that cannot be written they are sent once more after a crash, and the session knows
    /// that it has them.
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
        if (_length > NotWorthIt + 4 * left.Bytes) Rewrite(left.All);
    }

    /// <summary>Everything is durable and the session may forget this client: returns once no power failure brings any of it back.</summary>
    /// <exception cref="OutboxUnavailableException">That cannot be said.</exception>
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

    /// <summary>The session has forgotten this client, and what comes next is another's.</summary>
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

    // As Windows, Linux and macOS number it.
    private static bool IsSharingViolation(IOException failure) => failure.HResult is unchecked((int)0x80070020) or 11 or 35;

    private static FileStream Open(string path, FileMode mode) => new(path, mode, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0);

    private bool Load(string session, string newClient, TimeProvider clock)
    {
        Head = new(newClient, session, Run: 1);
        if (!File.Exists(_path)) return true;

        var content = OutboxFormat.Read(File.ReadAllBytes(_path));
        if (content.Version > OutboxFormat.Version) return false;
        if (content.Head is { } other && other.Session != session) content.Damage.Add($"it is of {other.Session}");
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
        return $"The outbox {_path} is damaged ({string.Join(", ", content.Damage)}). {usable} change(s) that could be read go on being sent; "
            + $"the file as it was is kept as {aside}.";
    }

    /// <summary>Replaces the file by one that holds just these: at any moment one of the two is there, whole.</summary>
    private void Rewrite(IEnumerable<OutboxEntry> entries)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var head = OutboxFormat.Head(Head);
        buffer.Write(head);
        foreach (var entry in entries.Where(entry => entry.Change.Slice != Slice.Runtime))
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

    // What was written in part must not be read as a change: at the latest, the next write goes over it.
    private void TakeBack()
    {
        try
        {
            if (_length > 0) _file?.SetLength(_length);
            else Delete();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The disk is in no better state than it was.
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
