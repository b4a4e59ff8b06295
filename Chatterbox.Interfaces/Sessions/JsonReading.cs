using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

internal static class JsonReading
{
    /// <summary>
    /// Reads a value inside a document as <see cref="JsonSerializer"/> does, but faster: the serializer first searches the
    /// value's end, so the items of a nested list would be scanned three times.
    /// </summary>
    /// <exception cref="JsonException">The JSON is not a value of this type.</exception>
    public static T? ReadValue<T>(this ref Utf8JsonReader reader, JsonTypeInfo<T> type)
    {
        var start = reader;
        try
        {
            return ((JsonConverter<T>)type.Converter).Read(ref reader, typeof(T), type.Options);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            // Only the serializer reports the position of a fault and handles null.
            reader = start;
            return JsonSerializer.Deserialize(ref reader, type);
        }
    }
}
