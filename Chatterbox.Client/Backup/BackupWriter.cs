using System.Text.Encodings.Web;
using System.Text.Json;

namespace Chatterbox.Client.Backup;

/// <summary>Writes an export document piece by piece: it never holds more than one clip.</summary>
internal sealed class BackupWriter(Stream output) : IAsyncDisposable
{
    // A multiple of three, so that only the last piece has base64 padding.
    private const int Piece = 48 * 1024;

    private readonly Utf8JsonWriter _json =
        new(output, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public void Begin(string store, int schemaVersion, DateTimeOffset exportedAt, SessionState state)
    {
        _json.WriteStartObject();
        _json.WriteString("format", BackupDocument.Format);
        _json.WriteNumber("formatVersion", BackupDocument.FormatVersion);
        _json.WriteString("exportedAt", exportedAt);
        _json.WriteString("store", store);
        _json.WriteNumber("schemaVersion", schemaVersion);
        _json.WritePropertyName("state");
        state.App.WriteState(_json, state, all: false);
    }

    public void BeginAudio() => _json.WriteStartArray("audio");

    public async Task WriteClipAsync(string hash, string mediaType, ReadOnlyMemory<byte> clip,
        CancellationToken cancellationToken)
    {
        _json.WriteStartObject();
        _json.WriteString("hash", hash);
        _json.WriteString("mediaType", mediaType);
        _json.WriteNumber("length", clip.Length);
        _json.WritePropertyName("data");
        for (var at = 0; at < clip.Length; at += Piece)
        {
            var length = Math.Min(Piece, clip.Length - at);
            _json.WriteBase64StringSegment(clip.Span.Slice(at, length), isFinalSegment: at + length == clip.Length);
            await _json.FlushAsync(cancellationToken);
        }
        _json.WriteEndObject();
    }

    public void EndAudio() => _json.WriteEndArray();

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        _json.WriteEndObject();
        await _json.FlushAsync(cancellationToken);
        output.WriteByte((byte)'\n');
        await output.FlushAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        // An unfinished document is abandoned: nothing more is written to the output.
        _json.Reset(Stream.Null);
        return _json.DisposeAsync();
    }
}
