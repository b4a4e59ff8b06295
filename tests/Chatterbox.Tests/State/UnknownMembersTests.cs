using System.Text.Json;

namespace Chatterbox.Tests.State;

public sealed class UnknownMembersTests
{
    private const string Huge = "1e99999999999";

    [Theory(DisplayName = "[X3] unknown members compare whatever their numbers are: by what is written")]
    [InlineData(Huge, Huge, true)]
    [InlineData(Huge, "1e99999999998", false)]
    [InlineData("[1, {\"a\": -1e-99999999999}]", "[1,{\"a\":-1e-99999999999}]", true)]
    [InlineData("1.50", "1.5", false)]
    [InlineData("{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}", true)]
    [InlineData("{\"a\": 1}", "{\"a\": 1, \"b\": 2}", false)]
    [InlineData("{\"a\": 1, \"b\": 2}", "{\"a\": 1, \"c\": 2}", false)]
    [InlineData("[1, 2]", "[1]", false)]
    [InlineData("[1, 2]", "[2, 1]", false)]
    [InlineData("\"\\u00e9\"", "\"é\"", true)]
    [InlineData("\"a\"", "\"b\"", false)]
    [InlineData("\"\\ud83d\"", "\"\\ud83d\"", true)]
    [InlineData("{\"\\ud83d\": 1}", "{\"\\ud83d\": 1}", true)]
    [InlineData("null", "false", false)]
    [InlineData("true", "true", true)]
    public void Equality(string one, string other, bool same) =>
        Assert.Equal(same, Unknown.Of("x", one).Equals(Unknown.Of("x", other)));

    [Fact(DisplayName =
        "[X3] a change whose unknown members hold a number that no type can hold is applied, saved and read again")]
    public void HugeNumber()
    {
        var chunk = Samples.Chunk("c") with { Unknown = Unknown.Of("gain", Huge) };
        var state = ReducerTests.Apply(AppState.Initial, new UpsertChunk(chunk));
        Assert.Same(state, ReducerTests.Apply(state, new UpsertChunk(chunk with { Unknown = Unknown.Of("gain", Huge) })));
        Assert.Equal(state, JsonSerializer.Deserialize(
            JsonSerializer.SerializeToUtf8Bytes(state, TtsJson.Default.AppState), TtsJson.Default.AppState));
    }

    [Theory(DisplayName = "[X3] [M3] unknown members that cannot be written as JSON again are refused")]
    [InlineData("x", "\"\\ud83d\"")]
    [InlineData("x", "[{\"\\udead\": 1}]")]
    [InlineData(null, "1")]
    public void NotUnicode(string? name, string json)
    {
        // A lone surrogate does not survive in a test's name.
        var refused = Validation.Check(Samples.Chunk("c") with { Unknown = Unknown.Of(name ?? "\ud83d", json) });
        Assert.Equal(("chunk.unknown", "members with names and text of valid Unicode"), (refused!.Field, refused.Allowed));
    }

    [Fact(DisplayName = "[X3] a change that cannot be applied at all is refused, and throws nothing")]
    public void Throwing()
    {
        var disposed = JsonDocument.Parse("{}");
        IDictionary<string, JsonElement> members = new UnknownMembers();
        members["x"] = disposed.RootElement;
        disposed.Dispose();
        var (state, rejection) = AppStateReducer.Apply(
            AppState.Initial, new UpsertChunk(Samples.Chunk("c") with { Unknown = (UnknownMembers)members }));
        Assert.Same(AppState.Initial, state);
        Assert.Equal("change", rejection!.Field);
    }

    [Fact(DisplayName = "[S2] unknown members cannot be changed once they have been read")]
    public void Immutable()
    {
        var read = JsonSerializer.Deserialize("""{"x": 1}""", ChatterboxJson.Default.UnknownMembers)!;
        Assert.Equal(1, read["x"].GetInt32());
        foreach (var members in (IDictionary<string, JsonElement>[])[read, Unknown.Of("x", "1")])
        {
            Assert.True(members.IsReadOnly);
            Assert.Throws<NotSupportedException>(() => members["y"] = default);
            Assert.Throws<NotSupportedException>(() => members.Add("y", default));
            Assert.Throws<NotSupportedException>(() => members.Remove("x"));
            Assert.Throws<NotSupportedException>(() => members.Add(KeyValuePair.Create("y", default(JsonElement))));
            Assert.Throws<NotSupportedException>(() => members.Remove(KeyValuePair.Create("x", default(JsonElement))));
            Assert.Throws<NotSupportedException>(members.Clear);
            Assert.Equal(["x"], members.Keys);
        }
    }
}
