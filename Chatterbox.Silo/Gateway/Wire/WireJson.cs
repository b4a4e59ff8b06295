using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chatterbox.Grains;

namespace Chatterbox.Silo.Gateway.Wire;

/// <summary>
/// JSON between browsers and the gateway: camelCase, enums by name, nulls left out. 64-bit numbers are revisions, sequences,
/// bytes and milliseconds, all below 2^53.
/// </summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(HelloCall))]
[JsonSerializable(typeof(HelloAnswer))]
[JsonSerializable(typeof(AttachCall))]
[JsonSerializable(typeof(AttachAnswer))]
[JsonSerializable(typeof(ApplyCall))]
[JsonSerializable(typeof(ApplyAnswer))]
[JsonSerializable(typeof(SinceCall))]
[JsonSerializable(typeof(StateAnswer))]
[JsonSerializable(typeof(LeaveCall))]
[JsonSerializable(typeof(EventsPush))]
[JsonSerializable(typeof(RawJson))]
[JsonSerializable(typeof(BehindPush))]
[JsonSerializable(typeof(ByePush))]
[JsonSerializable(typeof(SnapshotAnswer))]
[JsonSerializable(typeof(ChangesCall))]
[JsonSerializable(typeof(SessionStatus))]
[JsonSerializable(typeof(StorageInfo))]
[JsonSerializable(typeof(FlushReply))]
[JsonSerializable(typeof(RecoveryReport))]
[JsonSerializable(typeof(ValueList<HistoryItem>))]
[JsonSerializable(typeof(HistoryContent))]
[JsonSerializable(typeof(ImportReport))]
[JsonSerializable(typeof(UploadCall))]
[JsonSerializable(typeof(UploadAnswer))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(DevTokenCall))]
[JsonSerializable(typeof(DevTokenAnswer))]
// The items of value lists, which their own converter reads and writes.
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(SequencedChange))]
[JsonSerializable(typeof(AppliedChange))]
[JsonSerializable(typeof(AppliedSequence))]
[JsonSerializable(typeof(ChangeOutcome))]
[JsonSerializable(typeof(SessionEvent))]
[JsonSerializable(typeof(AttachedClient))]
[JsonSerializable(typeof(CleanedWorkSession))]
[JsonSerializable(typeof(StoredSlice))]
[JsonSerializable(typeof(SliceStorage))]
[JsonSerializable(typeof(ImportMend))]
[JsonSerializable(typeof(SliceItems))]
[JsonSerializable(typeof(SessionState))]
[JsonSerializable(typeof(SessionChange))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class WireJson : JsonSerializerContext
{
    private static JsonSerializerOptions? s_wire;
    private static AppDefinition[] s_apps = [];

    /// <summary>What everything on the wire is written and read with.</summary>
    public static JsonSerializerOptions Wire => s_wire ?? Add([]);

    /// <summary>Adds the states and changes of apps to the wire. Called at start, before anything is written.</summary>
    public static JsonSerializerOptions Add(IEnumerable<AppDefinition> apps)
    {
        s_apps = [.. s_apps.Concat(BuiltInApps.All.Select(app => app.Definition)).Concat(apps).Distinct()];
        return s_wire = WireOptions.Make(s_apps);
    }

    /// <summary>For ASP.NET, whose options cannot be replaced.</summary>
    public static void CopyTo(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, Wire.TypeInfoResolver!);
        options.PropertyNamingPolicy = Wire.PropertyNamingPolicy;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = Wire.NumberHandling;
        options.DefaultIgnoreCondition = Wire.DefaultIgnoreCondition;
        options.RespectNullableAnnotations = Wire.RespectNullableAnnotations;
        options.AllowOutOfOrderMetadataProperties = Wire.AllowOutOfOrderMetadataProperties;
        foreach (var converter in Wire.Converters) options.Converters.Add(converter);
    }

    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Wire.GetTypeInfo(typeof(T));

    // Apart, because it needs Default, which a static member of this class might be made before.
    private static class WireOptions
    {
        public static JsonSerializerOptions Make(AppDefinition[] apps)
        {
            var resolvers = apps.Select(app => app.Json).Distinct();
            var options = new JsonSerializerOptions(Default.Options)
            {
                TypeInfoResolver = JsonTypeInfoResolver.Combine([Default, .. resolvers]).WithAddedModifier(UnknownAsText.Apply)
                    .WithAddedModifier(type => AppTypes.Apply(type, apps)),
            };
            options.MakeReadOnly();
            return options;
        }
    }
}
