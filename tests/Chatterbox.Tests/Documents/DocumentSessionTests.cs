using System.Text;
using System.Text.Json.Nodes;
using Chatterbox.Client;
using Chatterbox.Grains.Documents;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Session;
using Chatterbox.Tests.Apps;
using Chatterbox.Tests.Persistence;

namespace Chatterbox.Tests.Documents;

public sealed class DocumentSessionTests
{
    [Fact(DisplayName = "[P4] [G2] a patch of one key of a 4 MiB document writes the key's row and not the document")]
    public async Task One_row()
    {
        var storage = new MemoryStorage();
        var driver = await SessionDriver.StartAsync(storage, AnyApp.Of("document", 0));
        var random = new Random(1);
        string Text() => Convert.ToBase64String(Enumerable.Range(0, 48 * 1024).Select(_ => (byte)random.Next(256)).ToArray());
        for (var number = 0; number < 64; number++) driver.Change(new SetKey($"{number}", DocumentTests.Value($"\"{Text()}\"")));
        driver.Change(new SetKey("small", DocumentTests.Value("""{"a":1}""")));
        await driver.SettleAsync();
        var (rows, bytes) = (driver.Store.RowWrites, driver.Store.BytesWritten);
        Assert.InRange(bytes, 4 * 1024 * 1024 * 2 / 3, 6 * 1024 * 1024);
        storage.Writes.Clear();

        driver.Change(new MergePatchKey("small", DocumentTests.Value("""{"b":2}""")));
        await driver.SettleAsync();

        Assert.Equal([$"keys-{DocumentApp.PartOf("small")}"], storage.Writes.Distinct());
        Assert.Equal(1, driver.Store.RowWrites - rows);
        // The keys that share its row: a 32nd of the document.
        Assert.InRange(driver.Store.BytesWritten - bytes, 1, 5 * 64 * 1024);
    }

    [Fact(DisplayName = "[C2] [C3] [G2] two clients patch different fields of one key, online and offline: both are kept")]
    public void Two_clients()
    {
        var log = new SessionLog(DocumentApp.Instance, 256, TimeProvider.System);
        log.Load(new(DocumentState.Initial, 0, [.. DocumentApp.Instance.Stored.Select(_ => AppliedMap.Empty)]), 1);
        var (one, two) = (Attached(log, "one"), Attached(log, "two"));
        Sync(log, one, new SetKey("k", DocumentTests.Value("""{"n":1e400}""")));

        // Both offline.
        one.Enqueue(Patch("""{"a":1}"""));
        two.Enqueue(Patch("""{"b":{"c":2}}"""));
        one.Enqueue(Patch("""{"b":{"d":3}}"""));
        Assert.Equal("""{"n":1e400,"a":1,"b":{"d":3}}""", Shown(one));
        Sync(log, one);
        Sync(log, two);
        foreach (var replica in (Replica[])[one, two]) replica.CaughtUp(log.Since(replica.Epoch, replica.Revision, null));

        const string Both = """{"n":1e400,"a":1,"b":{"d":3,"c":2}}""";
        Assert.Equal((Both, Both), (Shown(one), Shown(two)));
        Assert.Equal(Both, ((DocumentState)log.State).Find("k")!.ToString());

        static MergePatchKey Patch(string json) => new("k", DocumentTests.Value(json));
        static string Shown(Replica replica) => ((DocumentState)replica.Visible).Find("k")!.ToString();
    }

    [Fact(DisplayName = "[R4] [G2] the state of any Zustand store is imported into a document, key by key, as it is written")]
    public void Import()
    {
        var json = """{"todos":[{"id":1,"done":null}],"n":1e400,"__proto__":{"x":1},"":0,"chunks":[{"audioData":"AAAA"}]}""";

        var (state, report) = DocumentSiloApp.Instance.Import(
            new(Encoding.UTF8.GetBytes(json), Version: 12, DryRun: false), new([]), all => all);

        Assert.Null(report.Refused);
        Assert.Equal([new("keys", 5)], report.Items);
        Assert.Equal("1e400", ((DocumentState)state!).Find("n")!.ToString());
        Assert.Equal("""[{"id":1,"done":null}]""", ((DocumentState)state).Find("todos")!.ToString());
        Assert.Equal("""[{"audioData":"AAAA"}]""", ((DocumentState)state).Find("chunks")!.ToString());
        Assert.Equal("""{"x":1}""", ((DocumentState)state).Find("__proto__")!.ToString());
    }

    [Fact(DisplayName = "[R4] [G2] a document that cannot be held is refused as a whole, with the place of what is wrong")]
    public void Import_refused()
    {
        var deep = new string('[', 40) + new string(']', 40);

        var (state, report) = DocumentSiloApp.Instance.Import(
            new(Encoding.UTF8.GetBytes($$"""{"a":1,"b":{{deep}}}"""), 0, DryRun: false), new([]), all => all);

        Assert.Null(state);
        Assert.Equal("state.b", report.Refused!.Field);
    }

    [Fact(DisplayName = "[M1] [M2] [G2] a store's migrations see the whole document; its rows from before are in the history")]
    public async Task Migration()
    {
        var storage = new MemoryStorage();
        var app = AnyApp.Of("document", 0);
        var before = await SessionDriver.StartAsync(storage, app);
        before.Change(new SetKey("first", DocumentTests.Value("\"Ada\"")));
        before.Change(new SetKey("last", DocumentTests.Value("\"Lovelace\"")));
        await before.SettleAsync();

        var after = await SessionDriver.StartAsync(storage, Joining(app));
        Assert.Equal("""{"name":"Ada Lovelace"}""", DocumentApp.Instance.ToJson(after.Log.State).GetRawText());
        await after.SettleAsync();

        Assert.Contains(await after.Session.History.ListAsync(), entry => entry.Reason is HistoryReason.BeforeMigration);
        var again = await SessionDriver.StartAsync(storage, Joining(app));
        Assert.Equal("""{"name":"Ada Lovelace"}""", DocumentApp.Instance.ToJson(again.Log.State).GetRawText());
        Assert.False(again.Store.NeedsSave);
    }

    [Fact(DisplayName = "[M2] [G2] a migration of a document that throws keeps its rows, and the document starts anew")]
    public async Task Failed_migration()
    {
        var storage = new MemoryStorage();
        var app = AnyApp.Of("document", 0);
        var before = await SessionDriver.StartAsync(storage, app);
        before.Change(new SetKey("last", DocumentTests.Value("1")));
        await before.SettleAsync();

        var after = await SessionDriver.StartAsync(storage, Joining(app));

        Assert.Equal(DocumentState.Initial, after.Log.State);
        Assert.Contains(after.Store.Notices, notice => notice.Contains("kept in the history", StringComparison.Ordinal));
        Assert.Contains(await after.Session.History.ListAsync(), entry => entry.Reason is HistoryReason.Unreadable);
    }

    [Fact(DisplayName = "[G1] a session refuses a client that expects another app")]
    public void Other_app()
    {
        var request = new AttachRequest
        {
            Client = new("p", "c"), Device = "d", Protocol = Protocol.Version, NextSequence = 1, App = "tts",
        };

        Assert.Equal("app: must be document, whose state this store holds, was 'tts'",
            RequestCheck.Of(request, DocumentApp.Instance)!.Message);
        Assert.Null(RequestCheck.Of(request with { App = null }, DocumentApp.Instance));
    }

    private static AnyApp Joining(AnyApp app) => app with { Migrations = new([new DocumentMigrationStep(new JoinNames())]) };

    private static Replica Attached(SessionLog log, string client)
    {
        var replica = new Replica(DocumentApp.Instance, client);
        log.Attach(client, 1, 0);
        replica.Attached(new() { State = log.Since(0, 0, null), Applied = log.AppliedOf(client) }, 0);
        return replica;
    }

    private static void Sync(SessionLog log, Replica replica, params DocumentChange[] changes)
    {
        foreach (var change in changes) replica.Enqueue(change);
        while (replica.NextBatch() is { } batch)
        {
            var outcomes = batch.Changes.Select(change => log.Apply(batch.Client, change, out _)).ToValueList();
            replica.Replied(batch, new() { Epoch = log.Epoch, Outcomes = outcomes });
        }
    }

    private sealed class JoinNames : IDocumentMigration
    {
        public int FromVersion => 0;

        public JsonObject Migrate(JsonObject document)
        {
            if (document.ContainsKey("name")) return document;
            return new() { ["name"] = $"{document["first"]!.GetValue<string>()} {document["last"]!.GetValue<string>()}" };
        }
    }
}
