namespace Chatterbox.Silo.Gateway.Http;

/// <summary>A stored clip, read by pieces as they are needed: a download holds two of them.</summary>
internal sealed class ClipStream(IAudioClipGrain clip, long length) : Stream
{
    private int _piece = -1;
    private byte[] _bytes = [];
    private Task<GetPieceReply>? _ahead;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    /// <exception cref="IOException">The clip cannot be read any more.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position >= length || buffer.Length == 0) return 0;
        var piece = (int)(Position / AudioPieces.Bytes);
        if (piece != _piece) await LoadAsync(piece, cancellationToken);
        var from = (int)(Position % AudioPieces.Bytes);
        var count = Math.Min(buffer.Length, _bytes.Length - from);
        _bytes.AsMemory(from, count).CopyTo(buffer);
        Position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => length + offset,
    };

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Reads are asynchronous.");

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async Task LoadAsync(int piece, CancellationToken cancellationToken)
    {
        var isNext = piece == _piece + 1;
        var loading = isNext && _ahead is not null ? _ahead : clip.GetPieceAsync(piece);
        _ahead = null;
        var reply = await loading.WaitAsync(cancellationToken);
        _bytes = reply.Bytes ?? throw new IOException(reply.Refused?.Message ?? "The clip was deleted while it was read.");
        _piece = piece;
        if (_bytes.Length != AudioPieces.LengthOf(piece, length))
            throw new IOException("A piece of the clip has another length.");
        if (piece + 1 < AudioPieces.CountOf(length)) _ahead = clip.GetPieceAsync(piece + 1);
    }
}
