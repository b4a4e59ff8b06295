using System.Collections.Concurrent;
using System.Text;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Operations;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Storage.GroupCommit;
using Chatterbox.Silo.Web;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>A SQLite database whose files are removed or replaced while a silo uses it.</summary>
public sealed class SqliteFilesTests : IDisposable
{
    private const string Slice = "preferences";
    private static readonly GrainId Alice = GrainId.Create("session", "alice/app-state");

    private readonly string folder = Directory.CreateTempSubdirectory("chatterbox-").FullName;

    private string Database => Path.Combine(folder, "chatterbox.db");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    [Theory(DisplayName =
        "[D1] SQLite files removed or replaced under a silo: nothing counts as saved, it is kept in the "
        + "fallback file, nothing empty comes up")]
    [InlineData("removed", false, nameof(StorageWriter.GroupCommit))]
    [InlineData("replaced", true, nameof(StorageWriter.GroupCommit))]
    [InlineData("log removed", true, nameof(StorageWriter.GroupCommit))]
    [InlineData("removed", false, nameof(StorageWriter.Stock))]
    [InlineData("replaced", true, nameof(StorageWriter.Stock))]
    public async Task Notices(string how, bool isThereAfterwards, string writer)
    {
        var options = Options();
        options.Writer = Enum.Parse<StorageWriter>(writer);
        DatabaseSchema.Migrate(options);
        var running = await RunningStorage.StartAsync(options, "test");
        var state = Frame("stored");
        await running.Storage.WriteStateAsync(Slice, Alice, state);
        var backup = Path.Combine(folder, "backup.db");
        Run($"VACUUM INTO '{backup}'");

        switch (how)
        {
            case "removed":
                foreach (var suffix in new[] { "", "-wal", "-shm" }) File.Delete(Database + suffix);
                break;
            case "replaced":
                File.Move(backup, Database, overwrite: true);
                break;
            default:
                File.Delete(Database + "-wal");
                break;
        }
        for (var attempt = 0; attempt < 3; attempt++)
        {
            state.State = Frame($"unsaved {attempt}").State;
            await Assert.ThrowsAnyAsync<Exception>(() => running.Storage.WriteStateAsync(Slice, Alice, state));
        }

        var status = (IStorageStatus)running.Storage;
        Assert.NotNull(status.DegradedSince);
        Assert.Equal(1, status.PendingFrames);
        await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            running.Storage.ReadStateAsync(Slice, Alice, new GrainState<StoredFrame>(new StoredFrame())));
        await running.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Assert.Equal(isThereAfterwards, File.Exists(Database));

        if (how is "removed")
            File.Move(backup, Database);
        running = await RunningStorage.StartAsync(options, "test");
        var read = new GrainState<StoredFrame>(new StoredFrame());
        await running.Storage.ReadStateAsync(Slice, Alice, read);
        Assert.Equal("unsaved 2", Encoding.UTF8.GetString(read.State!.Bytes));
        await running.DisposeAsync();
    }

    [Theory(DisplayName =
        "[D1] SQLite files removed or replaced under a silo that nobody uses: health, log and sessions say so within seconds")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_idle_silo_notices(bool isReplaced)
    {
        var options = Options();
        DatabaseSchema.Migrate(options);
        await using var running = await RunningStorage.StartAsync(options, "test");
        await running.Storage.WriteStateAsync(Slice, Alice, Frame("stored"));
        var backup = Path.Combine(folder, "backup.db");
        Run($"VACUUM INTO '{backup}'");
        var (clock, log, status) = (new FakeTimeProvider(), new Lines(), (IStorageStatus)running.Storage);
        var health = new DatabaseHealthCheck(options);
        using var watch = new StorageWatch(new SiloSettings { Database = options }, clock, log, status, running.Storage);
        await watch.StartAsync(CancellationToken.None);
        clock.Advance(StorageWatch.FilePeriod);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);

        if (isReplaced) File.Move(backup, Database, overwrite: true);
        else foreach (var suffix in new[] { "", "-wal", "-shm" }) File.Delete(Database + suffix);
        var noticed = await CheckAsync();
        Assert.Equal(HealthStatus.Degraded, noticed.Status);
        Assert.Contains("was removed or replaced", noticed.Description, StringComparison.Ordinal);
        Assert.Null(status.DegradedSince);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (status.DegradedSince is null || log.Written.IsEmpty)
        {
            enough.Token.ThrowIfCancellationRequested();
            // It may not have begun to wait.
            clock.Advance(StorageWatch.FilePeriod);
            await Task.Yield();
        }
        await watch.StopAsync(CancellationToken.None);

        var (level, text) = Assert.Single(log.Written);
        Assert.Equal(LogLevel.Error, level);
        Assert.Contains("was removed or replaced while the silo was using it", text, StringComparison.Ordinal);

        Task<HealthCheckResult> CheckAsync() => health.CheckHealthAsync(new HealthCheckContext
        {
            Registration = new HealthCheckRegistration("database", health, HealthStatus.Degraded, null),
        });
    }

    [Fact(DisplayName = "[D1] a database that is closed and opened again is not taken for a replaced one")]
    public void Reopening_is_no_replacement()
    {
        DatabaseSchema.Migrate(Options());
        using var store = DatabaseDialect.Of(DatabaseProvider.Sqlite)
            .CreateRowStore(Options().Resolve(), "test", TimeProvider.System);
        for (var version = default(int?); version is null or < 4; version = (version ?? 0) + 1)
        {
            var row = new Chatterbox.Silo.Storage.GroupCommit.RowWrite(
                RowKey.Of(Slice, Alice), [1], version);
            store.Write([row]);
            Assert.True(row.Written);
            store.Close();
        }
    }

    private DatabaseOptions Options() => new()
    {
        ConnectionString = $"Data Source={Database};Pooling=false",
        Fallback = Path.Combine(folder, "fallback.db"),
    };

    private void Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed class Lines : ILogger<StorageWatch>
    {
        public ConcurrentQueue<(LogLevel, string)> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel level) => true;

        public void Log<TState>(
            LogLevel level, EventId id, TState state, Exception? failure, Func<TState, Exception?, string> format) =>
            Written.Enqueue((level, format(state, failure)));
    }

    private static GrainState<StoredFrame> Frame(string text) => new(new StoredFrame { Bytes = Encoding.UTF8.GetBytes(text) });
}
