using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

/// <summary>
/// A JSON value as text. Numbers and the order of members stay as they were written; white space goes, and texts are escaped
/// only where they must be.
/// </summary>
/// <remarks>Equal values have the same text.</remarks>
[GenerateSerializer, Immutable, Alias("chatterbox.DocumentValue")]
[JsonConverter(typeof(Converter))]
public sealed class DocumentValue : IEquatable<DocumentValue>
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = JsonText.MaxDepth };

    [Id(0)] private readonly byte[] _utf8;

    // What arrives from elsewhere is checked once, before it is used.
    [NonSerialized] private bool _isChecked;

    private DocumentValue(byte[] utf8, bool isChecked) => (_utf8, _isChecked) = (utf8, isChecked);

    /// <summary>The text, as UTF-8.</summary>
    public ReadOnlySpan<byte> Utf8 => _utf8;

    /// <summary>Bytes of the text.</summary>
    public int Length => _utf8.Length;

    /// <exception cref="ArgumentException">It is no JSON, or none that a document may hold.</exception>
    public static DocumentValue Parse(string json) => Parse(Encoding.UTF8.GetBytes(json));

    /// <inheritdoc cref="Parse(string)"/>
    public static DocumentValue Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, Reading);
            return Of(document.RootElement);
        }
        catch (JsonException wrong)
        {
            throw new ArgumentException(new Rejection("value", $"no JSON: {wrong.Message.TrimEnd('.')}", "JSON").Message, wrong);
        }
    }

    /// <inheritdoc cref="Parse(string)"/>
    public static DocumentValue Of(JsonElement json) =>
        Find(json) is { } wrong ? throw new ArgumentException(wrong.Message) : Write(json.WriteTo);

    public static DocumentValue Of<T>(T value, JsonTypeInfo<T> type) =>
        Of(JsonSerializer.SerializeToElement(value, type));

    public T? Deserialize<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(_utf8, type);

    /// <summary>The value as a document of its own. Dispose it.</summary>
    public JsonDocument ToJson() => JsonDocument.Parse(_utf8, Reading);

    /// <summary>As RFC 7396 has it: members of the patch replace those of this value, null removes, anything else
    /// replaces.</summary>
    /// <param name="target">Null where there is no value yet.</param>
    public static DocumentValue Merge(DocumentValue? target, DocumentValue patch)
    {
        using var patchJson = patch.ToJson();
        using var targetJson = target?.ToJson();
        var merged = Write(json => MergePatch.Write(json, targetJson?.RootElement, patchJson.RootElement));
        return merged.Equals(target) ? target : merged;
    }

    /// <summary>Null when a document may hold it. May be called for bytes that are no JSON.</summary>
    internal Rejection? Check(string field)
    {
        if (_isChecked) return null;
        if (_utf8 is null) return Rejection.OfText(field, null, "JSON");
        if (_utf8.Length > DocumentLimits.ValueBytes)
            return new(field, $"{_utf8.Length} bytes", $"at most {DocumentLimits.ValueBytes} bytes of JSON");
        try
        {
            using var json = ToJson();
            if (Find(json.RootElement) is { } wrong) return wrong with { Field = field };
        }
        catch (JsonException wrong)
        {
            return new(field, $"no JSON: {wrong.Message.TrimEnd('.')}", "JSON");
        }
        _isChecked = true;
        return null;
    }

    /// <summary>A value from storage, where it was checked before it was written.</summary>
    internal static DocumentValue Stored(ref Utf8JsonReader reader)
    {
        using var json = JsonDocument.ParseValue(ref reader);
        return new(JsonMarshal.GetRawUtf8Value(json.RootElement).ToArray(), isChecked: true);
    }

    internal void WriteTo(Utf8JsonWriter json) => json.WriteRawValue(_utf8, skipInputValidation: true);

    public bool Equals(DocumentValue? other) =>
        ReferenceEquals(this, other) || (other is not null && Utf8.SequenceEqual(other._utf8));

    public override bool Equals(object? obj) => Equals(obj as DocumentValue);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_utf8);
        return hash.ToHashCode();
    }

    public override string ToString() => Encoding.UTF8.GetString(_utf8);

    private static DocumentValue Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Compact)) write(json);
        return new(bytes.WrittenSpan.ToArray(), isChecked: false);
    }

    // A name that occurs twice would be one of the two in a browser.
    private static Rejection? Find(JsonElement value, int depth = 0)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object or JsonValueKind.Array when depth == DocumentLimits.Depth:
                return new("value", "nested deeper", $"JSON of at most {DocumentLimits.Depth} levels");
            case JsonValueKind.Object:
                var names = new HashSet<string>(StringComparer.Ordinal);
                foreach (var member in value.EnumerateObject())
                {
                    var name = JsonText.NameOf(member);
                    if (!Text.IsWellFormed(name) || !JsonText.IsNameWellFormed(member))
                        return new("value", "a name that is no valid Unicode", "JSON of valid Unicode");
                    if (!names.Add(name)) return Rejection.OfText("value", name, "JSON in which an object has each name once");
                    if (Find(member.Value, depth + 1) is { } wrong) return wrong;
                }
                return null;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    if (Find(item, depth + 1) is { } wrong) return wrong;
                }
                return null;
            case JsonValueKind.String:
                return JsonText.IsWellFormed(value) ? null : new("value", "text that is no valid Unicode",
                    "JSON of valid Unicode");
            case JsonValueKind.Undefined:
                return Rejection.OfText("value", null, "JSON");
            default:
                return null;
        }
    }

    internal sealed class Converter : JsonConverter<DocumentValue>
    {
        public override bool HandleNull => true;

        public override DocumentValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var json = JsonDocument.ParseValue(ref reader);
            try
            {
                return Of(json.RootElement);
            }
            catch (ArgumentException wrong)
            {
                throw new JsonException(wrong.Message, wrong);
            }
        }

        public override void Write(Utf8JsonWriter writer, DocumentValue value, JsonSerializerOptions options) =>
            value.WriteTo(writer);
    }
}
