using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Storage.GroupCommit;

namespace Chatterbox.ClusterTests.Storage.OnPostgreSql;

[OnDatabase(DatabaseProvider.PostgreSql)]
public sealed class ReadTests
{
    private const int Pieces = 64;
    private const int PieceBytes = 512 << 10;

    [ContractFact(DisplayName = "[D3] reads of large rows are several batches, each bounded in bytes, and in order")]
    public async Task Reads_are_bounded()
    {
        const int Bound = 8 << 20;
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        var options = new DatabaseOptions
        {
            Provider = DatabaseProvider.PostgreSql, ConnectionString = server.ConnectionString(database),
        };
        using (var store = DatabaseDialect.Of(options.Provider).CreateRowStore(options, "reads", TimeProvider.System))
        {
            var keys = Enumerable.Range(0, Pieces)
                .Select(piece => RowKey.Of("piece", GrainId.Create("clip", $"u/alice/{piece}"))).ToArray();
            foreach (var part in keys.Chunk(16))
                store.Write([.. part.Select(key => new Silo.Storage.GroupCommit.RowWrite(key, Piece(key), null))]);

            var batches = new List<int>();
            var left = keys.Append(RowKey.Of("piece", GrainId.Create("clip", "nothing")))
                .Select(key => new Silo.Storage.GroupCommit.RowRead(key)).ToList();
            while (left.Count > 0)
            {
                var batch = left;
                store.Read(batch, Bound);
                left = batch.FindAll(row => row.IsLeft);
                batches.Add(batch.Count - left.Count);
                Assert.All(batch.Where(row => !row.IsLeft),
                    row => Assert.Equal(row.Version is null ? null : Piece(row.Key), row.Payload));
            }
            Assert.Equal([17, 16, 16, 16], batches);
        }
        await server.DropDatabaseAsync(database);
    }

    private static byte[] Piece(RowKey key)
    {
        var bytes = new byte[PieceBytes];
        new Random(key.IdHash).NextBytes(bytes);
        return bytes;
    }
}
