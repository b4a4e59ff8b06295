using Xunit.Abstractions;

namespace Chatterbox.EndToEndTests;

public sealed class OutboxKillTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("chatterbox-outbox-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(DisplayName =
        "[C3] a client with its outbox on disk that is killed again and again, its silo too, has lost nothing it had "
        + "taken, and done nothing twice")]
    public async Task Killed_clients()
    {
        await using var silo = await SiloProcess.StartAsync();
        var expected = new List<string>();
        var taken = 0;
        for (var round = 0; round < 6; round++)
        {
            // In every third round there is no silo at all, in every other third it dies beneath the client.
            if (round % 3 == 1) await silo.KillAsync();
            await using var writer = OutboxWriter.Start(silo.Gateway, _folder.FullName, $"r{round}");
            await writer.TakenAsync(60 + 40 * round, Patience);
            if (round % 3 == 2)
            {
                await silo.KillAsync();
                await writer.TakenAsync(100 + 40 * round, Patience);
            }
            await writer.KillAsync();
            Assert.NotEmpty(_folder.EnumerateFiles("*.outbox"));
            if (round % 3 > 0) await silo.StartAgainAsync();
            taken += writer.Lines.Count / 2;
            expected.AddRange(Outcome([.. writer.Lines]));
        }
        output.WriteLine($"{taken} changes were taken by 6 clients that were killed.");

        await using (var last =
            await ClientProcess.StartAsync(options => options.OutboxDirectory = _folder.FullName, silo.Gateway))
        {
            var store = await last.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
            await store.Persistence.FlushAsync().WaitAsync(Patience);
            AssertSame(expected, store.State);
        }
        Assert.Empty(_folder.EnumerateFiles("*.outbox"));

        // The database alone says the same.
        await silo.KillAsync();
        await silo.StartAgainAsync();
        await using var fresh = await ClientProcess.StartAsync(silo.Gateway);
        AssertSame(expected, (await fresh.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience)).State);
    }

    /// <summary>What has to be there of a writer's run; "?id" where the kill came between a change and its word.</summary>
    private static List<string> Outcome(string[] lines)
    {
        var there = new List<string>();
        foreach (var pair in lines.Chunk(2))
        {
            var (what, id, isKnown) = (pair[0][0], pair[0][1..], pair.Length == 2);
            if (isKnown) Assert.Equal(pair[0], pair[1]);
            if (what == '+') there.Add(isKnown ? id : $"?{id}");
            else
            {
                there.Remove(id);
                if (!isKnown) there.Insert(0, $"?{id}");
            }
        }
        return there;
    }

    private static void AssertSame(List<string> expected, AppState state)
    {
        var there = state.Chunks.Select(chunk => chunk.Id).ToHashSet();
        Assert.Equal(expected.Where(id => id[0] != '?' || there.Contains(id[1..])).Select(id => id.TrimStart('?')),
            state.Chunks.Select(chunk => chunk.Id));
    }
}
