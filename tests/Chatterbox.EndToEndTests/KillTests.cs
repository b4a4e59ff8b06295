namespace Chatterbox.EndToEndTests;

public sealed class KillTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact(DisplayName = "[C3] after a kill -9 of the silo everything durable is there, and a live client has lost nothing")]
    public async Task Nothing_is_lost()
    {
        await using var silo = await SiloProcess.StartAsync();
        await using var gone = await ClientProcess.StartAsync(silo.Gateway);
        var left = await gone.Client.OpenAsync(new SessionId("bob")).WaitAsync(Patience);
        await (await left.UpdateParametersAsync(p => p with { Temperature = 1.1 })).Durable.WaitAsync(Patience);

        await using var process = await ClientProcess.StartAsync(silo.Gateway);
        var store = await process.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
        var audio = await store.Audio.UploadAsync(new byte[200_000]);
        var ids = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            for (var number = 0; number < 20; number++)
            {
                ids.Add($"r{round}n{number}");
                await store.UpsertChunkAsync(TestData.Chunk(ids[^1])).WaitAsync(Patience);
            }
            await store.CompleteChunkAsync(ids[^1], audio).WaitAsync(Patience);

            // Within the write delay of the last changes, so that they are applied and not stored.
            await silo.KillAsync();
            ids.Add($"offline{round}");
            var offline = store.UpsertChunkAsync(TestData.Chunk(ids[^1]));
            Assert.Equal(ids, store.State.Chunks.Select(chunk => chunk.Id));
            await silo.StartAgainAsync();
            await offline.WaitAsync(Patience);
        }
        await store.Persistence.FlushAsync().WaitAsync(Patience);
        await silo.KillAsync();
        await silo.StartAgainAsync();

        await using var fresh = await ClientProcess.StartAsync(silo.Gateway);
        var alice = await fresh.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
        Assert.Equal(ids, alice.State.Chunks.Select(chunk => chunk.Id));
        Assert.Equal(3, alice.State.Chunks.Count(chunk => chunk.Audio == audio));
        Assert.Equal(new byte[200_000], await alice.Audio.DownloadAsync(audio.Hash));
        var bob = await fresh.Client.OpenAsync(new SessionId("bob")).WaitAsync(Patience);
        Assert.Equal(1.1, bob.State.Preferences.Parameters.Temperature);
    }

    [Fact(DisplayName = "[P5] a silo that is told to stop saves what its sessions hold")]
    public async Task A_graceful_stop_saves()
    {
        await using var silo = await SiloProcess.StartAsync();
        await using (var process = await ClientProcess.StartAsync(silo.Gateway))
        {
            var store = await process.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
            var receipt = await store.UpsertChunkAsync(TestData.Chunk("c1")).WaitAsync(Patience);
            Assert.False(receipt.Durable.IsCompleted);
            Assert.Equal(0, await silo.StopAsync());
        }
        // The client is gone, so that it cannot send again what the silo should have saved.
        await silo.StartAgainAsync();

        await using var fresh = await ClientProcess.StartAsync(silo.Gateway);
        var again = await fresh.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
        Assert.Equal(["c1"], again.State.Chunks.Select(chunk => chunk.Id));
    }
}
