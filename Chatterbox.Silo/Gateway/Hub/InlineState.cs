using System.Text.Json;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>Whether a state fits in an answer on the hub, where a large one would be cut off on a slow connection.</summary>
internal static class InlineState
{
    public static StateAnswer Of(CatchUp state)
    {
        var answer = new StateAnswer
        {
            Epoch = state.Epoch, Revision = state.Revision, DurableRevision = state.DurableRevision, Snapshot = state.Snapshot,
            Changes = state.Changes,
        };
        return Fits(answer) ? answer : answer with { Fetch = true, Snapshot = null, Changes = [] };
    }

    private static bool Fits(StateAnswer answer)
    {
        if (answer.Snapshot is null && answer.Changes.Count == 0) return true;
        using var written = new Counting();
        try
        {
            JsonSerializer.Serialize(written, answer, WireJson.Of<StateAnswer>());
            return true;
        }
        catch (TooLongException)
        {
            return false;
        }
    }

    private sealed class TooLongException : IOException;

    /// <summary>Keeps nothing, and ends what is written at the limit.</summary>
    private sealed class Counting : Stream
    {
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position
        {
            get => _length;
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if ((_length += buffer.Length) > WebProtocol.InlineBytes) throw new TooLongException();
        }

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
