using System.Text;
using System.Text.Json.Serialization;

namespace Chatterbox.ClusterTests.Client;

public sealed record Settings(string? Theme = null, double? Size = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Settings))]
internal sealed partial class SettingsJson : JsonSerializerContext;

public sealed class DocumentStoreTests
{
    private static readonly SessionId Alice = new("alice", "drafts");

    [Fact(DisplayName = "[G2] [C1] a document by configuration alone: typed values, two clients' patches, subscriptions")]
    public async Task Typed()
    {
        await using var cluster = await StartAsync();
        await using var one = await cluster.NewClient().OpenDocumentAsync(Alice, SettingsJson.Default);
        await using var two = await cluster.NewClient().OpenDocumentAsync(Alice, SettingsJson.Default);
        var heard = new TaskCompletionSource<(Settings?, Settings?)>();
        using var subscription = two.Subscribe<Settings>("settings", (now, before) =>
        {
            if (now?.Size is not null) heard.TrySetResult((now, before));
        });
        Assert.Null(one.Get<Settings>("settings"));

        await one.SetAsync("settings", new Settings("dark"));
        await Task.WhenAll(one.PatchAsync("settings", new Settings(Theme: "light")),
            two.PatchAsync("settings", new Settings(Size: 12)));

        var (now, _) = await heard.Task.WaitAsync(ChatterboxCluster.Patience);
        Assert.Equal(12, now!.Size);
        await one.CaughtUpAsync(CancellationToken.None);
        Assert.Equal(new Settings("light", 12), one.Get<Settings>("settings"));
        await one.SetAsync("raw", DocumentValue.Parse("[1e400,-0,9007199254740993]"));
        await one.Persistence.FlushAsync();

        await cluster.Cluster.DeactivateAsync(((GrainReference)cluster.Cluster.Client.GetGrain<IUserSessionGrain>(Alice.Key))
            .GrainId);
        await using var again = await cluster.NewClient().OpenDocumentAsync(Alice, SettingsJson.Default);
        Assert.Equal("[1e400,-0,9007199254740993]", again.State.Find("raw")!.ToString());
        await again.RemoveAsync("raw");
        Assert.Equal(1, again.State.Count);
        Assert.Throws<NotSupportedException>(() => again.Get<Uri>("settings"));
    }

    [Fact(DisplayName = "[R4] [G2] any Zustand envelope is imported into a document, and its export is the same again")]
    public async Task Zustand()
    {
        await using var cluster = await StartAsync();
        await using var store = await cluster.NewClient().OpenDocumentAsync(Alice);
        const string State = """{"":0,"__proto__":{"a":1},"bears":7,"fish":[{"name":"Wanda","n":1.10}]}""";

        var report = await store.Backup.ImportAsync(Stream($$"""{"state":{{State}},"version":3}"""));

        Assert.Null(report.Refused);
        Assert.Equal(State, DocumentApp.Instance.ToJson(store.State).GetRawText());
        using var written = new MemoryStream();
        await store.Backup.ExportAsync(written);
        await store.Persistence.ClearPersistedStateAsync();
        written.Position = 0;
        await store.Backup.ImportAsync(written);
        Assert.Equal(State, DocumentApp.Instance.ToJson(store.State).GetRawText());
    }

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));

    private static Task<ChatterboxCluster> StartAsync()
    {
        var cluster = new ChatterboxCluster();
        cluster.Options.Stores["drafts"] = new() { App = "document" };
        return ChatterboxCluster.StartAsync(cluster);
    }
}
