using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>Documents: JSON of any shape by key. A store of this app persists the state of any Zustand store.</summary>
public sealed class DocumentApp : AppDefinition<DocumentState, DocumentChange>
{
    /// <summary>The rows of a document. Permanent: a key's row follows from it.</summary>
    private const int PartCount = 32;

    internal static readonly ValueList<DocumentPart> NoParts = ValueList.Create<DocumentPart>(
        Enumerable.Repeat(DocumentPart.Empty, PartCount).ToArray());

    private static readonly SliceDefinition<DocumentState, DocumentPart>[] PartSlices =
        [.. Enumerable.Range(0, PartCount).Select(Part)];

    private DocumentApp() : base("document", new DocumentState(), DocumentJson.Default.DocumentChange, [.. PartSlices]) { }

    public static DocumentApp Instance { get; } = new();

    /// <summary>
    /// The part that a key is in: FNV-1a (32 bits) of its UTF-16 code units, low byte first, modulo the number of parts.
    /// </summary>
    public static int PartOf(string? key)
    {
        var hash = 2166136261u;
        foreach (var unit in key ?? "")
        {
            hash = unchecked((hash ^ (byte)unit) * 16777619u);
            hash = unchecked((hash ^ (byte)(unit >> 8)) * 16777619u);
        }
        return (int)(hash % PartCount);
    }

    internal static SliceDefinition SliceOf(string? key) => PartSlices[PartOf(key)];

    /// <summary>An object with a member for each key.</summary>
    public override JsonElement ToJson(SessionState state, bool withNulls = false)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            WriteState(json, state);
        var reader = new Utf8JsonReader(bytes.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>The same: how a document is split into rows is nobody's business.</summary>
    internal override void WriteState(Utf8JsonWriter json, SessionState state, bool all = true) =>
        ((DocumentState)state).WriteTo(json);

    public override ValueList<SliceItems> CountItems(SessionState state) => [new("keys", ((DocumentState)state).Count)];

    private static SliceDefinition<DocumentState, DocumentPart> Part(int number) => new(
        string.Create(CultureInfo.InvariantCulture, $"keys-{number}"), state => state.Parts[number],
        (state, value) => state.With(number, value), DocumentJson.Default.DocumentPart)
    {
        Items = part => part.Entries.Count,
        Check = part => part.Entries.FirstDuplicateId() is { } key ? Rejection.OfText("key", key, "unique")
            : part.Entries.FirstOrDefault(entry => PartOf(entry.Key) != number) is { } strange
                ? Rejection.OfText("key", strange.Key, "a key of this row")
            : null,
    };
}

/// <summary>JSON of documents and their changes.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(DocumentState))]
[JsonSerializable(typeof(DocumentPart))]
[JsonSerializable(typeof(DocumentEntry))]
[JsonSerializable(typeof(DocumentChange))]
public sealed partial class DocumentJson : JsonSerializerContext;
