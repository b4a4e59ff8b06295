using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Chatterbox.Chaos.Clients;

/// <summary>
/// The state as keys and values, and changes of them: chunks and batch items by id, and the seed of each engine.
/// </summary>
internal static class StateKeys
{
    public static string Chunk(string id) => $"chunk:{id}";

    public static string Item(string id) => $"item:{id}";

    public static string Seed(TtsEngine engine) => $"seed:{engine}";

    public static Dictionary<string, string> Of(AppState state)
    {
        var values = new Dictionary<string, string>();
        foreach (var chunk in state.Chunks) Add(Chunk(chunk.Id), chunk.Text);
        foreach (var item in state.BatchItems) Add(Item(item.Id), item.Name);
        foreach (var engine in Enum.GetValues<TtsEngine>())
        {
            if (state.Preferences.ParametersOf(engine).Seed is { } seed and not 0) Add(Seed(engine), $"{seed}");
        }
        return values;

        // An id that is there twice is a value that nobody gave.
        void Add(string key, string value) =>
            values[key] = values.TryGetValue(key, out var first) ? $"{first} and {value}" : value;
    }

    /// <param name="value">Null removes.</param>
    public static AppStateChange Set(string key, string? value) => (key.Split(':'), value) switch
    {
        (["chunk", var id], null) => new RemoveChunk(id),
        (["chunk", var id], _) => new UpsertChunk(new()
        {
            Id = id,
            Text = value,
            Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox),
        }),
        (["item", var id], null) => new RemoveBatchItem(id),
        (["item", var id], _) => new UpsertBatchItem(new() { Id = id, Name = value }),
        (["seed", var engine], not null) => new UpdateParameters(
            Enum.Parse<TtsEngine>(engine), new() { Seed = long.Parse(value, CultureInfo.InvariantCulture) }),
        _ => throw new ArgumentOutOfRangeException(nameof(key), key, "Not a key of the state."),
    };

    /// <summary>The same for equal states of all that is stored, order included.</summary>
    public static string Hash(AppState state) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
        state with { Runtime = RuntimeState.Default }, TtsJson.Default.AppState)));
}
