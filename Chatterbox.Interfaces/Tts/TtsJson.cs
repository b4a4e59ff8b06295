using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox;

/// <summary>JSON of the text-to-speech app's state and changes: camelCase, enums by name, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(AppState))]
[JsonSerializable(typeof(AppStateChange))]
// The items of value lists, which their own converter reads and writes.
[JsonSerializable(typeof(WorkSession))]
[JsonSerializable(typeof(SavedVoice))]
[JsonSerializable(typeof(Chunk))]
[JsonSerializable(typeof(BatchItem))]
[JsonSerializable(typeof(TransientError))]
[JsonSerializable(typeof(string))]
public sealed partial class TtsJson : JsonSerializerContext
{
    /// <summary>
    /// The same for the slices as they are stored, by reflection: source-generated code passes the members of a record as boxed
    /// constructor arguments, which takes 50 % longer and allocates a third more.
    /// </summary>
    internal static JsonTypeInfo<T> Stored<T>() => (JsonTypeInfo<T>)ReflectionOptions.Instance.GetTypeInfo(typeof(T));

    /// <summary>The same, with the members that are null.</summary>
    internal static TtsJson Complete => new(new JsonSerializerOptions(Default.Options)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    });

    // In its own class, because it needs Default, which could be initialized after a static member of this class.
    private static class ReflectionOptions
    {
        public static readonly JsonSerializerOptions Instance = Make();

        private static JsonSerializerOptions Make()
        {
            var options = new JsonSerializerOptions(Default.Options)
            {
                TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
                Converters = { new JsonStringEnumConverter() },
            };
            // Otherwise converters called before the serializer's first use would find no members: a silo reads before it writes.
            options.MakeReadOnly();
            return options;
        }
    }
}
