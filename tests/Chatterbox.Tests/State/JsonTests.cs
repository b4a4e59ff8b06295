using System.Text.Json;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Chatterbox.Tests.State;

public sealed class JsonTests
{
    [Fact(DisplayName = "[M3] members that this version does not know survive a round trip, at every level")]
    public void Unknown_members_survive()
    {
        const string Json = """
            {"preferences":{"engine":"chatterbox","parameters":{"temperature":0.8,"warmth":3},"otherEngines":{"whisper":{"x":1}},
            """ + """
            "useStreaming":false,"theme":"dark"},
             "workSessions":[{"id":"s","name":"n","color":"red"}],
            """ + """
            "savedVoices":[{"id":"v","name":"n","parameters":{},"mood":[1]}],
             "chunks":[{"id":"c","text":"t","parameters":{},"status":"completed","audio":{"hash":"h","peak":0.5},"rating":5}],
            """ + """
            "batchItems":[{"id":"b","name":"n","owner":null}]}
            """;
        var once = JsonSerializer.Serialize(JsonSerializer.Deserialize(Json, TtsJson.Default.AppState)!,
            TtsJson.Default.AppState);
        foreach (var member in (string[])["warmth", "whisper", "theme", "color", "mood", "peak", "rating", "owner"])
        {
            Assert.Contains($"\"{member}\":", once, StringComparison.Ordinal);
        }
        Assert.Equal(JsonSerializer.Deserialize(Json, TtsJson.Default.AppState),
            JsonSerializer.Deserialize(once, TtsJson.Default.AppState));
    }

    [Fact(DisplayName = "[S2] any change comes back from its JSON and from the wire as it was")]
    public void Any_change_round_trips()
    {
        var wire = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();
        States.Change.Sample(change =>
        {
            Assert.Equal(change,
                JsonSerializer.Deserialize(JsonSerializer.Serialize(change, TtsJson.Default.AppStateChange),
                    TtsJson.Default.AppStateChange));
            Assert.Equal(change, wire.Deserialize<AppStateChange>(wire.SerializeToArray(change)));
        }, iter: 500);
    }

    [Fact(DisplayName = "[M3] members that are missing take their defaults, nested ones too")]
    public void Missing_members_take_defaults()
    {
        Assert.Equal(AppState.Initial, JsonSerializer.Deserialize("{}", TtsJson.Default.AppState));
        var state = JsonSerializer.Deserialize("""{"preferences":{"useStreaming":true}}""", TtsJson.Default.AppState)!;
        Assert.Equal(Preferences.Default with { UseStreaming = true }, state.Preferences);
    }

    [Theory(DisplayName = "[M2] JSON of another shape is an error, not a default")]
    [InlineData("""{"preferences":null}""")]
    [InlineData("""{"chunks":{}}""")]
    [InlineData("""{"chunks":[null]}""")]
    [InlineData("""{"chunks":[{"id":"c"}]}""")]
    [InlineData("""{"chunks":[{"id":"c","text":"t","parameters":{},"status":"melted"}]}""")]
    public void Other_shapes(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, TtsJson.Default.AppState));

    [Theory(DisplayName = "[M2] A fault in an item of a list says in which member it is")]
    [InlineData("""{"id":"a","text":"b","parameters":{"seed":"x"}}""", "seed")]
    [InlineData("""{"id":"a","text":"b","parameters":{},"createdAt":"never"}""", "createdAt")]
    [InlineData("""{"id":"a","text":"b","parameters":{},"audio":{"hash":"c","length":true}}""", "length")]
    public void Faults_say_where(string chunk, string member)
    {
        var fault = Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize($$"""{"chunks":[{{chunk}}]}""", TtsJson.Default.AppState));
        Assert.EndsWith(member, fault.Path, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[S2] every change is named in JSON and comes back equal")]
    public void Changes_round_trip()
    {
        foreach (var change in Samples.EveryChange)
        {
            var json = JsonSerializer.Serialize(change, TtsJson.Default.AppStateChange);
            Assert.Contains($"\"type\":\"{JsonNamingPolicy.CamelCase.ConvertName(change.GetType().Name)}\"",
                json, StringComparison.Ordinal);
            Assert.Equal(change, JsonSerializer.Deserialize(json, TtsJson.Default.AppStateChange));
        }
    }

    [Fact(DisplayName = "[M2] What is no list of items says so")]
    public void No_list()
    {
        Assert.Contains("An array is expected", Fault("""{"chunks":{"id":"c"}}"""), StringComparison.Ordinal);
        Assert.Contains("An array is expected", Fault("""{"chunks":7}"""), StringComparison.Ordinal);
        Assert.Contains("An item of an array is null", Fault("""{"chunks":[null]}"""), StringComparison.Ordinal);

        static string Fault(string json) =>
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, TtsJson.Default.AppState)).Message;
    }

    [Fact(DisplayName = "[S1] lists are values: equal with equal items in order, and the empty ones are one")]
    public void Lists()
    {
        ValueList<string> list = ["a", "b"];
        Assert.Equal(list, ["a", "b"]);
        Assert.Equal(list.GetHashCode(), ((ValueList<string>)["a", "b"]).GetHashCode());
        Assert.NotEqual(list, ["b", "a"]);
        Assert.NotEqual(list.GetHashCode(), ((ValueList<string>)["b", "a"]).GetHashCode());
        Assert.Same(ValueList.Create<string>([]), Array.Empty<string>().ToValueList());
    }
}
