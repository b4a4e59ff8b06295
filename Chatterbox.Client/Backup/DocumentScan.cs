using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Chatterbox.Client.Backup;

/// <summary>
/// One pass over a document of any size. Clips are passed on one by one in document order; the rest is copied, with each clip
/// replaced by null. Memory use: the largest clip, plus the rest.
/// </summary>
internal sealed class DocumentScan(AppDefinition app, Stream source)
{
    private const int FirstBuffer = 64 * 1024;

    // Base64 takes four characters for three bytes; some writers escape the slashes in it. A clip that is too large is still
    // read, so that only it is left out.
    private const int LongestValue = 4 * Limits.ClipBytes;

    private readonly JsonPlace _place = new();
    private readonly ArrayBufferWriter<byte> _rest = new(FirstBuffer);
    private byte[] _buffer = new byte[FirstBuffer];
    private int _start, _end;
    private long _total;
    private bool _ended;
    private JsonReaderState _state = new(new() { MaxDepth = JsonText.MaxDepth });
    private Clip? _found;
    private int _clips;

    internal sealed record Clip(int Number, string Place, byte[] Bytes, string MediaType);

    /// <summary>Called with each clip in turn.</summary>
    public required Func<Clip, Task> OnClip { get; init; }

    /// <summary>Called for each repaired or dropped value: text that is not valid Unicode, or an invalid clip.</summary>
    public Action<ImportMend>? OnMend { get; init; }

    /// <summary>Called with the bytes read so far.</summary>
    public Action<long>? OnProgress { get; init; }

    /// <returns>The document without its clips.</returns>
    /// <exception cref="BackupFormatException">The document cannot be imported; gives the place and the reason.</exception>
    public async Task<ReadOnlyMemory<byte>> RunAsync(CancellationToken cancellationToken)
    {
        // Escapes as little as possible: the output must not be longer than the input.
        await using var copy = new Utf8JsonWriter(_rest,
            new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        await SkipByteOrderMarkAsync(cancellationToken);
        while (true)
        {
            Consume(copy);
            if (_found is { } clip)
            {
                _found = null;
                await OnClip(clip);
            }
            else if (!_ended) await FillAsync(cancellationToken);
            else break;
        }
        EnsureComplete();
        await copy.FlushAsync(cancellationToken);
        return _rest.WrittenMemory;
    }

    private async Task SkipByteOrderMarkAsync(CancellationToken cancellationToken)
    {
        while (_end < 3 && !_ended) await FillAsync(cancellationToken);
        if (_end == 0) throw BackupFormatException.At("", "an empty file", BackupDocument.Allowed);
        if (_buffer.AsSpan(0, _end).StartsWith("\uFEFF"u8)) _start = 3;
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= LongestValue)
            {
                throw BackupFormatException.At(_place.ToString(), $"more than {_buffer.Length} bytes of text",
                    $"a clip of at most {Limits.ClipBytes} bytes");
            }
            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, LongestValue));
        }
        var read = await source.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        (_end, _total, _ended) = (_end + read, _total + read, read == 0);
        OnProgress?.Invoke(_total);
    }

    /// <summary>Reads what the buffer holds, up to the next clip.</summary>
    private void Consume(Utf8JsonWriter copy)
    {
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), isFinalBlock: false, _state);
        try
        {
            while (_found is null && reader.Read()) Take(ref reader, copy);
        }
        catch (JsonException wrong)
        {
            throw new BackupFormatException(Place(wrong), $"must be JSON, {BackupDocument.Allowed}: {Problem(wrong)}");
        }
        _start += (int)reader.BytesConsumed;
        _state = reader.CurrentState;
    }

    private void Take(ref Utf8JsonReader reader, Utf8JsonWriter copy)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                var name = JsonText.TextOf(ref reader, out var isRepaired);
                _place.Name(name);
                copy.WritePropertyName(name);
                if (isRepaired) Repair("a name that is no valid Unicode", "Unicode", "replaced by U+FFFD");
                return;
            case JsonTokenType.EndObject:
                _place.Leave();
                copy.WriteEndObject();
                return;
            case JsonTokenType.EndArray:
                _place.Leave();
                copy.WriteEndArray();
                return;
        }
        _place.BeforeValue();
        if (copy.BytesCommitted + copy.BytesPending == 0) EnsureObject(reader.TokenType);
        if (IsClip(ref reader)) CopyClip(ref reader, copy);
        else Copy(ref reader, copy);
        if (copy.BytesCommitted + copy.BytesPending > Limits.ImportBytes)
        {
            throw BackupFormatException.At(_place.ToString(), "more", $"at most {Limits.ImportBytes} bytes without audio");
        }
    }

    private void Copy(ref Utf8JsonReader reader, Utf8JsonWriter copy)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                _place.Enter(reader.TokenType);
                copy.WriteStartObject();
                break;
            case JsonTokenType.StartArray:
                _place.Enter(reader.TokenType);
                copy.WriteStartArray();
                break;
            case JsonTokenType.String:
                copy.WriteStringValue(JsonText.TextOf(ref reader, out var isRepaired));
                if (isRepaired) Repair("text that is no valid Unicode", "Unicode", "replaced by U+FFFD");
                break;
            default:
                copy.WriteRawValue(reader.ValueSpan, skipInputValidation: true);
                break;
        }
    }

    private bool IsInAudioList
    {
        get
        {
            foreach (var (list, _, _) in app.AudioInLists)
            {
                if (_place.Is("state", list, "*", "*")) return true;
            }
            return false;
        }
    }

    private bool IsClip(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not JsonTokenType.String) return false;
        if (_place.Is("audio", "*", "data")) return true;
        if (!IsInAudioList) return false;
        return _place.Last switch
        {
            "audioData" => true,
            "audioUrl" => ClipText.IsDataUrl(ref reader),
            "id" or "text" or "name" or "status" => false,
            _ => ClipText.IsAudio(ref reader),
        };
    }

    // Replaced by null; its place identifies it.
    private void CopyClip(ref Utf8JsonReader reader, Utf8JsonWriter copy)
    {
        copy.WriteNullValue();
        try
        {
            if (ClipText.Decode(ref reader, _place) is not { } clip) return;
            _found = new(_clips++, _place.ToString(), clip.Clip, clip.MediaType);
        }
        catch (BackupFormatException wrong)
        {
            OnMend?.Invoke(new(wrong.Place, wrong.Found, wrong.Allowed, "the clip is left out"));
        }
    }

    private void Repair(string found, string allowed, string done) =>
        OnMend?.Invoke(new(_place.ToString(), found, allowed, done));

    private static void EnsureObject(JsonTokenType first)
    {
        if (first != JsonTokenType.StartObject) throw BackupFormatException.At("", Name(first), BackupDocument.Allowed);
    }

    // At the end of the input, a reader with isFinalBlock set differs from one without only when the document is incomplete.
    private void EnsureComplete()
    {
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), isFinalBlock: true, _state);
        try
        {
            // Only a top-level number has no terminator.
            if (reader.Read()) EnsureObject(reader.TokenType);
        }
        catch (JsonException missing)
        {
            var path = _place.ToString();
            throw new BackupFormatException(Place(missing),
                $"must be a whole document, was truncated here{(path.Length > 0 ? $" (within {path})" : "")}");
        }
    }

    private static string Place(JsonException wrong) => $"line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine + 1}";

    // The place is reported separately.
    private static string Problem(JsonException wrong) =>
        wrong.Message.Split(" LineNumber:")[0].Replace(" Change the reader options.", "").TrimEnd('.');

    private static string Name(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };
}
