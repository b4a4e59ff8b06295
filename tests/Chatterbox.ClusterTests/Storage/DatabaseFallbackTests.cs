using System.Text;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;

namespace Chatterbox.ClusterTests.Storage;

[OnDatabase(DatabaseProvider.PostgreSql)]
public class DatabaseFallbackTests
{
    [ContractFact(DisplayName = "[D4] what a real server did not take, killed or read-only, is in it after the next start")]
    public async Task Survives_an_outage_and_a_restart()
    {
        await using var server = await PostgresServer.StartNewAsync();
        var folder = Directory.CreateTempSubdirectory("chatterbox-").FullName;
        var database = await server.CreateDatabaseAsync();
        DatabaseOptions Options(StorageWriter writer) => new()
        {
            Provider = DatabaseProvider.PostgreSql,
            ConnectionString = server.ConnectionString(database),
            Writer = writer,
            Fallback = Path.Combine(folder, "fallback.db"),
        };

        foreach (var writer in Enum.GetValues<StorageWriter>())
        {
            var (killed, readOnly) = (Key($"killed/{writer}"), Key($"read-only/{writer}"));
            await using (var running = await RunningStorage.StartAsync(Options(writer), "outage"))
            {
                var state = Frame("stored");
                await running.Storage.WriteStateAsync("preferences", killed, state);
                await server.KillAsync();
                state.State = Frame("unsaved").State;
                await Assert.ThrowsAnyAsync<Exception>(() => running.Storage.WriteStateAsync("preferences", killed, state));
                Assert.NotNull(((IStorageStatus)running.Storage).DegradedSince);
            }
            await server.StartAsync();

            await server.SetReadOnlyAsync(database, true);
            await using (var running = await RunningStorage.StartAsync(Options(writer), "outage"))
            {
                await Assert.ThrowsAnyAsync<Exception>(() => running.Storage.WriteStateAsync("preferences", readOnly, Frame("unsaved")));
                Assert.Equal(2, ((IStorageStatus)running.Storage).PendingFrames);
            }
            await server.SetReadOnlyAsync(database, false);

            await using (var running = await RunningStorage.StartAsync(Options(writer), "outage"))
            {
                // Read before it is replayed or after: a read replays first.
                foreach (var key in new[] { killed, readOnly })
                {
                    var read = new GrainState<StoredFrame>(new StoredFrame());
                    await running.Storage.ReadStateAsync("preferences", key, read);
                    Assert.Equal("unsaved", Encoding.UTF8.GetString(read.State!.Bytes));
                }
                Assert.Equal(0, ((IStorageStatus)running.Storage).PendingFrames);
            }
        }
        Directory.Delete(folder, recursive: true);
    }

    private static GrainId Key(string key) => GrainId.Create("session", key);

    private static GrainState<StoredFrame> Frame(string text) => new(new StoredFrame { Bytes = Encoding.UTF8.GetBytes(text) });
}
