using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>A key of a document with its value.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.DocumentEntry")]
public sealed record DocumentEntry([property: Id(0)] string Key, [property: Id(1)] DocumentValue Value) : IKeyed
{
    string IKeyed.Id => Key;

    /// <summary>The members of an object, in the order in which they stand there.</summary>
    internal static List<DocumentEntry> ReadAll(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not JsonTokenType.StartObject) throw new JsonException("An object is expected.");
        var entries = new List<DocumentEntry>();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            entries.Add(new(key, DocumentValue.Stored(ref reader)));
        }
        return entries;
    }

    /// <summary>Writes an object with a member for each.</summary>
    internal static void WriteAll(Utf8JsonWriter writer, ValueList<DocumentEntry> entries)
    {
        writer.WriteStartObject();
        foreach (var (key, value) in entries)
        {
            writer.WritePropertyName(key);
            value.WriteTo(writer);
        }
        writer.WriteEndObject();
    }
}

/// <summary>The keys of a document that are stored in one row: in JSON an object.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.DocumentPart")]
[JsonConverter(typeof(Converter))]
public sealed record DocumentPart([property: Id(0)] ValueList<DocumentEntry> Entries)
{
    // Sorted by key, so that equal documents are equal however they came about.
    internal static DocumentPart Empty { get; } = new([]);

    /// <summary>The index of a key; where it is missing, the complement of the index it would have.</summary>
    internal int IndexOf(string key)
    {
        var entries = Entries.AsSpan();
        var (low, high) = (0, entries.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(entries[middle].Key, key);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return ~low;
    }

    internal DocumentPart With(DocumentEntry entry)
    {
        var index = IndexOf(entry.Key);
        if (index >= 0) return new(Entries.SetItem(index, entry));
        return new([.. Entries.Take(~index), entry, .. Entries.Skip(~index)]);
    }

    internal DocumentPart Without(string key) => Entries.Count == 1 ? Empty : new(Entries.RemoveAt(IndexOf(key)));

    internal sealed class Converter : JsonConverter<DocumentPart>
    {
        public override DocumentPart Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var entries = DocumentEntry.ReadAll(ref reader);
            return entries.Count == 0 ? Empty
                : new(entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToValueList());
        }

        public override void Write(Utf8JsonWriter writer, DocumentPart value, JsonSerializerOptions options) =>
            DocumentEntry.WriteAll(writer, value.Entries);
    }
}

/// <summary>
/// A document: keys with JSON values. Keys are compared by code point; none is special. Its parts are rows of their own, so that
/// a change of one key writes its row and not the document.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.DocumentState")]
[JsonConverter(typeof(Converter))]
public sealed record DocumentState : SessionState
{
    // Not held here: the parts come from the app, which holds it.
    public static DocumentState Initial => DocumentApp.Instance.Initial;

    /// <summary>By <see cref="DocumentApp.PartOf"/> of the keys they hold.</summary>
    [Id(0)] public ValueList<DocumentPart> Parts { get; private init; } = DocumentApp.NoParts;

    /// <summary>The keys with their values, in the order of the keys' code units.</summary>
    public ValueList<DocumentEntry> Keys
    {
        get => Parts.SelectMany(part => part.Entries).OrderBy(entry => entry.Key, StringComparer.Ordinal).ToValueList();
        init => Parts = value.Aggregate(Parts, (parts, entry) => Put(parts, entry));
    }

    public int Count
    {
        get
        {
            var count = 0;
            foreach (var part in Parts.AsSpan()) count += part.Entries.Count;
            return count;
        }
    }

    protected override AppDefinition Definition => DocumentApp.Instance;

    /// <summary>The value of a key; null when the document does not have it.</summary>
    public DocumentValue? Find(string key)
    {
        var part = Parts[DocumentApp.PartOf(key)];
        return part.IndexOf(key) is >= 0 and var index ? part.Entries[index].Value : null;
    }

    internal DocumentState With(string key, DocumentValue value) => Find(key) is { } before && before.Equals(value)
        ? this
        : this with { Parts = Put(Parts, new(key, value)) };

    internal DocumentState Without(string key)
    {
        var index = DocumentApp.PartOf(key);
        return this with { Parts = Parts.SetItem(index, Parts[index].Without(key)) };
    }

    internal DocumentState With(int part, DocumentPart value) => this with { Parts = Parts.SetItem(part, value) };

    private static ValueList<DocumentPart> Put(ValueList<DocumentPart> parts, DocumentEntry entry)
    {
        var index = DocumentApp.PartOf(entry.Key);
        return parts.SetItem(index, parts[index].With(entry));
    }

    /// <summary>An object with a member for each key: how a document is split into rows is nobody's business.</summary>
    internal sealed class Converter : JsonConverter<DocumentState>
    {
        public override DocumentState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var entries = DocumentEntry.ReadAll(ref reader);
            return new() { Keys = entries.ToValueList() };
        }

        public override void Write(Utf8JsonWriter writer, DocumentState value, JsonSerializerOptions options) =>
            value.WriteTo(writer);
    }

    internal void WriteTo(Utf8JsonWriter json) => DocumentEntry.WriteAll(json, Keys);
}
