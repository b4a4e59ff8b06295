using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests;

/// <summary>The wire as a page of the text-to-speech app reads it: it knows the app of the state that it is sent.</summary>
internal static class PageJson
{
    public static JsonSerializerOptions Options { get; } = new(WireJson.Wire) { Converters = { new StateReader() } };

    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));

    private sealed class StateReader : JsonConverter<SessionState>
    {
        public override SessionState? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize(ref reader, (JsonTypeInfo<AppState>)options.GetTypeInfo(typeof(AppState)));

        public override void Write(Utf8JsonWriter writer, SessionState value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value, options.GetTypeInfo(value.GetType()));
    }
}
