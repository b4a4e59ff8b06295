using System.Text.Json;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.Tests.Persistence;

public sealed class SessionCheckTests
{
    private const string Good = """{"version":1,"revision":1,"applied":{},"state":[]}""";

    [Fact(DisplayName =
        "[M1] [M2] [M3] what each stored row would become is summed up, by version, by outcome and reason, with an example")]
    public async Task Summed_up()
    {
        var check = await CheckAsync(
            [new("u/a/app-state", "chunks", Frames.Of(Good)),
                new("u/a/app-state", "batchItems", Frames.Of("""{"version":0,"revision":1,"state":[]}""", version: 0))],
            [new("u/b/app-state", "chunks", [1]), new("u/b/app-state", "batchItems", [2]),
                new("u/b/app-state", "preferences", Frames.Of("""{"version":0,"revision":1,"state":7}""", version: 0))],
            [new("u/c/app-state", "chunks", Frames.Of("{}")), new("u/d/app-state", "chunks", Frames.Of("{}", version: 3)),
                new("u/e/nowhere", "chunks", Frames.Of(Good))]);

        Assert.Equal((1, 5, 8, false), (check.SchemaVersion, check.Sessions, check.Rows, check.AllWouldLoad));
        Assert.Equal([(null, 2L), (0, 2L), (1, 3L), (3, 1L)], check.Versions.Select(each => (each.Version, each.Rows)));
        Assert.Equal(
        [
            (CheckOutcome.Migrate, "from version 0 to 1", 1, 1, "a/app-state, batchItems: "),
            (CheckOutcome.Unreadable, "its frame is damaged", 1, 2,
                "b/app-state, chunks: it has 1 bytes, fewer than a frame's header"),
            (CheckOutcome.Unreadable, "its migration from version 0 failed", 1, 1, check.Findings[2].Example),
            (CheckOutcome.Unreadable, "its content is not that of the slice", 1, 1,
                "c/app-state, chunks: It is no envelope: it has no revision."),
            (CheckOutcome.Newer, "stored with version 3", 1, 1, "d/app-state, chunks: this build knows 1"),
            (CheckOutcome.Refuse, "its store is not registered", 1, 1,
                "e/nowhere: registered are app-state, document, minimal, recovery, session-only"),
        ], check.Findings.Select(each => (each.Outcome, each.Reason, each.Sessions, each.Rows, each.Example)));
        var lines = check.Describe().ToArray();
        Assert.Contains($"{"is unreadable: its frame is damaged",-60} {1,12} {2,12}", lines);
        Assert.Contains($"{"  of no version",-60} {"",12} {2,12}", lines);
        Assert.Contains("for example d/app-state, chunks: this build knows 1", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("for example a/", StringComparison.Ordinal));
        Assert.Equal("Not every stored session would load.", lines[^1]);
        Assert.Equal(check, JsonSerializer.Deserialize(check.ToJson(), ChatterboxJson.Default.SessionCheck));
    }

    [Fact(DisplayName = "[M1] sessions that need a migration would load; so would none at all")]
    public async Task All_would_load()
    {
        var check = await CheckAsync(
            [[new("u/a/app-state", "chunks", Frames.Of("""{"version":0,"revision":1,"state":[]}""", version: 0))]]);
        Assert.True(check.AllWouldLoad);
        Assert.Equal("Every stored session would load.", check.Describe().Last());
        Assert.True((await CheckAsync([[]])).AllWouldLoad);
    }

    [Fact(DisplayName = "[M1] [G1] the slices there are asked for by name, and no statement names one")]
    public async Task Every_slice_is_asked_for()
    {
        var pages = new Pages([[]]);
        await CheckAsync(pages);
        Assert.Equal(BuiltInApps.All.SelectMany(app => app.Definition.Stored).Select(slice => slice.Name), pages.Asked);
        foreach (var dialect in (string[])["Sqlite", "PostgreSql", "SqlServer"])
        {
            var statement = Chatterbox.Silo.Storage.SqlText.Statement($"StoredRows.{dialect}.sql", "Page");
            Assert.All(pages.Asked, name => Assert.DoesNotContain(name, statement, StringComparison.Ordinal));
        }
    }

    private static async Task<SessionCheck> CheckAsync(params NamedRow[][] pages)
    {
        var (check, told) = await CheckAsync(new Pages(pages));
        Assert.Equal(Enumerable.Range(1, pages.Length).Select(page => page / (double)pages.Length), told);
        return check;
    }

    private static async Task<(SessionCheck, List<double>)> CheckAsync(Pages pages)
    {
        await using var services = new ServiceCollection().AddChatterboxSchema(new ChatterboxOptions())
            .AddSingleton<IStoredRows>(pages).BuildServiceProvider();
        var told = new List<double>();
        var check = await services.GetRequiredService<SessionInspector>().CheckAllAsync(new Told(told), CancellationToken.None);
        return (check, told);
    }

    private sealed class Pages(NamedRow[][] pages) : IStoredRows
    {
        public IReadOnlyList<string> Asked { get; private set; } = [];

        public Task<NamedRowPage> ReadAsync(IReadOnlyList<string> names, int? after, int rows,
            CancellationToken cancellationToken)
        {
            Asked = names;
            var page = after ?? 0;
            int? next = page + 1 < pages.Length ? page + 1 : null;
            return Task.FromResult(new NamedRowPage(pages[page], next, (page + 1) / (double)pages.Length));
        }
    }

    private sealed class Told(List<double> told) : IProgress<double>
    {
        public void Report(double value) => told.Add(value);
    }
}
