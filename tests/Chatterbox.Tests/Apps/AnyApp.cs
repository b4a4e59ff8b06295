using Chatterbox.Grains;
using Chatterbox.Grains.Documents;
using Chatterbox.Grains.Persistence;
using Chatterbox.Tests.Documents;
using Chatterbox.Tests.Persistence;

namespace Chatterbox.Tests.Apps;

/// <summary>The apps that the engine's tests run over: the built-in ones, and one that a seed makes.</summary>
internal sealed record AnyApp(PersistConfig Config, MigrationChain Migrations, Func<Random, SessionState, int,
    SessionChange> Change)
{
    public static readonly string[] Names = ["tts", "document", "random"];

    public AppDefinition Definition => Config.App.Definition;

    public static AnyApp Of(string name, int seed) => name switch
    {
        "tts" => new(PersistConfig.AppState with { Partialize = state => state }, new(TtsSiloApp.Instance.Migrations),
            (random, state, number) => FaultTests.RandomChange(random, (AppState)state, number)),
        "document" => new(PersistConfig.Document, new([]), ChangeDocument),
        _ => new(new() { Name = "random", App = new SiloApp(RandomApp.Of(seed)) }, new([]),
            (random, _, number) => ChangeRandom(random, seed, number)),
    };

    private static DocumentChange ChangeDocument(Random random, SessionState state, int number)
    {
        var key = $"key {random.Next(12)}";
        return random.Next(6) switch
        {
            0 => new RemoveKey(key),
            1 or 2 => new SetKey(key, DocumentTests.Value($$"""{"number":{{number}},"big":9007199254740993}""")),
            _ => new MergePatchKey(key, DocumentTests.Value(
                $$"""{"f{{random.Next(5)}}":{{number}},"f{{5 + random.Next(3)}}":null}""")),
        };
    }

    private static RandomChange ChangeRandom(Random random, int seed, int number)
    {
        var (slot, id) = (random.Next(RandomApp.Of(seed).Slices.Count), $"i{random.Next(8)}");
        return random.Next(4) == 0 ? new DropItem(seed, slot, id) : new PutItem(seed, slot, new(id, number));
    }
}
