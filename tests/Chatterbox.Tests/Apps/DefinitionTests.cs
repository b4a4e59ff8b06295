using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Options;

namespace Chatterbox.Tests.Apps;

public sealed class DefinitionTests
{
    [Fact(DisplayName = "[G1] the built-in apps have no mistake in their definitions")]
    public void Built_in() => Assert.All(BuiltInApps.All, app => Assert.Empty(app.Definition.Problems));

    [Fact(DisplayName = "[G1] a definition with mistakes is refused at the start, and all of them are told")]
    public void Mistakes()
    {
        var problems = new BrokenApp().Problems.ToArray();

        Assert.Contains("name: must be 1 to 64 of a-z, 0-9 and '-', was 'Broken App'", problems);
        Assert.Contains("slice 'twice': must be unique, was defined twice", problems);
        Assert.Contains("slice 'history': must have a name that no row of the engine has", problems);
        Assert.Contains("slices: must begin with those that are stored", problems);
        Assert.Contains("NoAlias: must have an [Alias], had none", problems);
        Assert.Contains("Same: must have [GenerateSerializer], had none", problems);
        Assert.Contains(problems, each => each.StartsWith("slice '1st': must be named by", StringComparison.Ordinal));
        var refused = Assert.Throws<InvalidOperationException>(() => new PersistConfigs(
            [new() { Name = "broken", App = new(new BrokenApp()) }], [], Options.Create(new ChatterboxOptions())));
        Assert.Contains("app Broken App: NoAlias: must have an [Alias], had none", refused.Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[G1] two apps of one name, and two changes of one name in different apps, are refused at the start")]
    public void Collisions()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => new PersistConfigs(
            [PersistConfig.AppState, new() { Name = "x", App = new(new CollidingApp("tts")) },
                new() { Name = "y", App = new(new CollidingApp("other")) }],
            [], Options.Create(new ChatterboxOptions())));

        Assert.Contains("app tts is registered twice", refused.Message, StringComparison.Ordinal);
        Assert.Contains("change 'setStreaming': must be of one app, was of tts and other", refused.Message,
            StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[G1] a gap in an app's migrations, or one of an unknown app or store, is refused at the start")]
    public void Migrations()
    {
        var configs = new PersistConfigs([PersistConfig.AppState], [], Options.Create(new ChatterboxOptions()));

        Assert.Contains("app tts: Migrations start from versions 0, 2", Assert.Throws<InvalidOperationException>(() =>
            new MigrationChains(configs, [new("tts", null, new Step(2))])).Message, StringComparison.Ordinal);
        Assert.Contains("was of nobody", Assert.Throws<InvalidOperationException>(() =>
            new MigrationChains(configs, [new("nobody", null, new Step(0))])).Message, StringComparison.Ordinal);
        Assert.Contains("was of nowhere", Assert.Throws<InvalidOperationException>(() =>
            new MigrationChains(configs, [new("tts", "nowhere", new Step(1))])).Message, StringComparison.Ordinal);
        var chains = new MigrationChains(configs, [new("tts", "app-state", new Step(1))]);
        Assert.Equal((1, 2), (chains.Of(PersistConfig.Minimal.App).CurrentVersion, chains.Of(PersistConfig.AppState)
            .CurrentVersion));
    }

    [Fact(DisplayName = "[G2] a store is registered by configuration alone; a wrong app is refused with those there are")]
    public void By_configuration()
    {
        var options = new ChatterboxOptions();
        options.Stores["drafts"] = new() { App = "tts", QuotaBytes = 5 };
        var configs = new PersistConfigs(BuiltInApps.Stores, BuiltInApps.All, Options.Create(options));
        Assert.Equal(("tts", 5), (configs.Find("drafts")!.App.Name, configs.Find("drafts")!.QuotaBytes));

        options.Stores["drafts"].App = "spreadsheet";
        var refused = Assert.Throws<InvalidOperationException>(() =>
            new PersistConfigs(BuiltInApps.Stores, BuiltInApps.All, Options.Create(options)));
        Assert.Contains("'drafts': App: must be a registered app (", refused.Message, StringComparison.Ordinal);
        Assert.Contains("was 'spreadsheet'", refused.Message, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[G1] a change of another app is refused, and nothing changes")]
    public void Other_apps_change()
    {
        var (state, rejection) = TtsApp.Instance.Apply(AppState.Initial, new CollidingChange());

        Assert.Same(AppState.Initial, state);
        Assert.Equal("change: must be a change of the app 'tts', was 'CollidingChange'", rejection!.Message);
    }

    private sealed class Step(int from) : ISliceMigration
    {
        public int FromVersion => from;

        public JsonNode Migrate(string slice, JsonNode state) => state;
    }
}

[GenerateSerializer, Immutable, Alias("test.BrokenState")]
internal sealed record BrokenState : SessionState
{
    protected override AppDefinition Definition => throw new NotSupportedException();
}

[GenerateSerializer, Immutable]
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(NoAlias), "noAlias")]
[JsonDerivedType(typeof(Same), "same")]
internal abstract record BrokenChange : Change<BrokenState>
{
    protected override SliceDefinition Target => throw new NotSupportedException();

    protected internal override BrokenState Apply(BrokenState state) => state;
}

[GenerateSerializer, Immutable]
internal sealed record NoAlias : BrokenChange;

[Alias("test.same")]
internal sealed record Same : BrokenChange;

[JsonSerializable(typeof(BrokenChange))]
[JsonSerializable(typeof(string))]
internal sealed partial class BrokenJson : JsonSerializerContext;

internal sealed class BrokenApp() : AppDefinition<BrokenState, BrokenChange>(
    "Broken App", new(), BrokenJson.Default.BrokenChange,
    Slice("never", isStored: false), Slice("twice"), Slice("twice"), Slice("history"), Slice("1st"))
{
    private static SliceDefinition<BrokenState, string> Slice(string name, bool isStored = true) =>
        new(name, _ => "", (state, _) => state, BrokenJson.Default.String, isStored);
}

[GenerateSerializer, Immutable, Alias("test.CollidingState")]
internal sealed record CollidingState : SessionState
{
    protected override AppDefinition Definition => throw new NotSupportedException();
}

[GenerateSerializer, Immutable, Alias("test.AnyColliding")]
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(CollidingChange), "setStreaming")]
internal abstract record AnyColliding : Change<CollidingState>
{
    protected override SliceDefinition Target => CollidingApp.Text;

    protected internal override CollidingState Apply(CollidingState state) => state;
}

[GenerateSerializer, Immutable, Alias("test.CollidingChange")]
internal sealed record CollidingChange : AnyColliding;

[JsonSerializable(typeof(AnyColliding))]
[JsonSerializable(typeof(string))]
internal sealed partial class CollidingJson : JsonSerializerContext;

internal sealed class CollidingApp(string name)
    : AppDefinition<CollidingState, AnyColliding>(name, new(), CollidingJson.Default.AnyColliding, Text)
{
    public static SliceDefinition<CollidingState, string> Text { get; } =
        new("text", _ => "", (state, _) => state, CollidingJson.Default.String);
}
