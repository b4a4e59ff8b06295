using System.Text.Json.Nodes;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Tts;

/// <summary>Version 0 had neither engine nor current parameters: both get the model's defaults.</summary>
internal sealed class DefaultEngineAndParameters : ISliceMigration
{
    public int FromVersion => 0;

    public JsonNode Migrate(string slice, JsonNode state)
    {
        if (slice != TtsSlice.Preferences) return state;
        var preferences = state.AsObject();
        preferences["engine"] ??= "chatterbox";
        preferences["parameters"] ??= new JsonObject
        {
            ["exaggeration"] = 0.5, ["cfgWeight"] = 0.5, ["temperature"] = 0.8, ["minP"] = 0.05, ["topP"] = 1.0,
            ["repetitionPenalty"] = 1.2, ["seed"] = 0,
        };
        return preferences;
    }
}
