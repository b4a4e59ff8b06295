using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

internal static class JsonReading
{
    /// <summary>
    /// A value out of the middle of a document, as <see cref="JsonSerializer"/> would read it there. That looks for the value's end
    /// before it reads it: the items of a list inside of a document would each be gone through three times.
    /// </summary>
    /// <exception cref="JsonException">The JSON is not such a value.</exception>
    public static T? ReadValue<T>(this ref Utf8JsonReader reader, JsonTypeInfo<T> type)
    {
        var start = reader;
        try
        {
            return ((JsonConverter<T>)type.Converter).Read(ref reader, typeof(T), type.Options);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            // Only the long way says where in the value the fault is, and what to do with a null.
            reader = start;
            return JsonSerializer.Deserialize(ref reader, type);
        }
    }
}
