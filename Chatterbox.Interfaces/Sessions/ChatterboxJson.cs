using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>JSON of everything public or stored: camelCase, enums by name, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(SessionStatus))]
[JsonSerializable(typeof(AttachedClient))]
[JsonSerializable(typeof(StoredSlice))]
[JsonSerializable(typeof(StorageInfo))]
[JsonSerializable(typeof(SessionCheck))]
[JsonSerializable(typeof(VersionCount))]
[JsonSerializable(typeof(CheckFinding))]
[JsonSerializable(typeof(ValueList<SiloStatusReport>))]
[JsonSerializable(typeof(SiloStatusReport))]
[JsonSerializable(typeof(ImportReport))]
[JsonSerializable(typeof(ImportMend))]
[JsonSerializable(typeof(SliceItems))]
[JsonSerializable(typeof(UnknownMembers))]
[JsonSerializable(typeof(AudioRef))]
public sealed partial class ChatterboxJson : JsonSerializerContext
{
    /// <summary>The same, indented, with only the necessary escapes, for terminals.</summary>
    public static ChatterboxJson Readable => ReadableContext.Instance;

    // In its own class, because it needs Default, which could be initialized after a static member of this class.
    private static class ReadableContext
    {
        public static readonly ChatterboxJson Instance = new(new JsonSerializerOptions(Default.Options)
        {
            WriteIndented = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
    }
}
