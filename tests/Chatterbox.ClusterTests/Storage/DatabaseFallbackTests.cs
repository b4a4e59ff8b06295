using System.Text;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Chatterbox.Silo.Storage.Fallback;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>What a database in its ways of being away does not take is kept, told, and in it after the next start.</summary>
public abstract class DatabaseFallbackTests : IDisposable
{
    protected const string Slice = "preferences";

    private readonly string folder = Directory.CreateTempSubdirectory("chatterbox-").FullName;

    public static TheoryData<string> Writers => [.. Enum.GetNames<StorageWriter>()];

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected static GrainId Stored { get; } = GrainId.Create("session", "stored/app-state");

    protected static GrainId New { get; } = GrainId.Create("session", "new/app-state");

    protected DatabaseOptions Options(DatabaseProvider provider, string connectionString, string writer,
        TimeSpan? timeout = null) => new()
    {
        Provider = provider,
        ConnectionString = connectionString,
        Writer = Enum.Parse<StorageWriter>(writer),
        Timeout = timeout ?? TimeSpan.FromSeconds(1),
        Fallback = Path.Combine(folder, "fallback.db"),
    };

    /// <param name="begin">Takes the database away.</param>
    /// <param name="end">Brings it back.</param>
    /// <param name="isAtStart">The storage has to be started again to notice.</param>
    /// <param name="duringWrite">Takes it away while the first of the writes is under way.</param>
    protected static async Task KeepsWhatWasNotTakenAsync(
        DatabaseOptions options, Func<Task> begin, Func<Task> end, Func<Task>? duringWrite = null, bool isAtStart = false)
    {
        var state = Frame("stored");
        var running = await RunningStorage.StartAsync(options, "outage");
        await running.Storage.WriteStateAsync(Slice, Stored, state);
        if (isAtStart) await running.DisposeAsync();

        await begin();
        if (isAtStart) running = await RunningStorage.StartAsync(options, "outage");
        state.State = Large("unsaved").State;
        var write = running.Storage.WriteStateAsync(Slice, Stored, state);
        if (duringWrite is not null) await duringWrite();
        await FailsAsync(() => write);
        foreach (var text in new[] { "more unsaved", "all unsaved" })
        {
            state.State = Large(text).State;
            await FailsAsync(() => running.Storage.WriteStateAsync(Slice, Stored, state));
            await FailsAsync(() => running.Storage.WriteStateAsync(Slice, New, Large(text)));
        }
        var status = (IStorageStatus)running.Storage;
        Assert.NotNull(status.DegradedSince);
        Assert.Equal(2, status.PendingFrames);
        Assert.Null(status.FallbackFailure);
        await running.DisposeAsync();
        await end();

        // Read before the replay or after it: a read replays first.
        running = await RunningStorage.StartAsync(options, "outage");
        foreach (var key in new[] { Stored, New })
        {
            var read = new GrainState<StoredFrame>(new StoredFrame());
            await running.Storage.ReadStateAsync(Slice, key, read);
            Assert.StartsWith("all unsaved", Encoding.UTF8.GetString(read.State!.Bytes));
            Assert.Empty(await new History(running.Storage, key, HistoryRetention.Of(new()), TimeProvider.System).ListAsync());
        }
        Assert.Equal(0, ((IStorageStatus)running.Storage).PendingFrames);
        Assert.Null(((IStorageStatus)running.Storage).DegradedSince);
        await running.DisposeAsync();
    }

    protected static async Task<GrainState<StoredFrame>> ReadAsync(RunningStorage running, GrainId key)
    {
        var read = new GrainState<StoredFrame>(new StoredFrame());
        await running.Storage.ReadStateAsync(Slice, key, read);
        return read;
    }

    protected static string Text(GrainState<StoredFrame> state) => Encoding.UTF8.GetString(state.State!.Bytes);

    /// <summary>With an exception that a caller on another machine knows, whichever the driver.</summary>
    protected static async Task FailsAsync(Func<Task> write)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(write);
        Assert.True(failure is StorageUnavailableException or WriteOutcomeUnknownException, $"{failure}");
    }

    protected static GrainState<StoredFrame> Frame(string text) => new(new StoredFrame { Bytes = Encoding.UTF8.GetBytes(text) });

    /// <summary>More than is left over in any page.</summary>
    private static GrainState<StoredFrame> Large(string text) => Frame(text.PadRight(300_000));
}

[OnDatabase(DatabaseProvider.PostgreSql)]
public sealed class FallbackOnPostgreSql : DatabaseFallbackTests, IAsyncLifetime
{
    private PostgresServer server = null!;
    private string database = "";

    public async Task InitializeAsync()
    {
        server = await PostgresServer.StartNewAsync();
        database = await server.CreateDatabaseAsync();
    }

    async Task IAsyncLifetime.DisposeAsync() => await server.DisposeAsync();

    [ContractTheory(DisplayName = "[D4] killed: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public Task Killed(string writer) => KeepsWhatWasNotTakenAsync(Options(writer), server.KillAsync, server.StartAsync);

    [ContractTheory(DisplayName = "[D4] killed in the middle of a transaction: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public async Task Killed_in_a_transaction(string writer)
    {
        await using var holder = new NpgsqlConnection(server.ConnectionString(database) + ";Pooling=false");
        await KeepsWhatWasNotTakenAsync(Options(writer, TimeSpan.FromSeconds(30)), LockAsync,
            server.StartAsync, duringWrite: KillAsync);

        async Task LockAsync()
        {
            await holder.OpenAsync();
            await using var block = new NpgsqlCommand("BEGIN; SELECT 1 FROM OrleansStorage FOR UPDATE", holder);
            await block.ExecuteNonQueryAsync();
        }

        // The write waits inside of its transaction, and is then cut off.
        async Task KillAsync()
        {
            await using var observer = new NpgsqlConnection(server.ConnectionString("postgres") + ";Pooling=false");
            await observer.OpenAsync();
            await using var waiting =
                new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", observer);
            while (await waiting.ExecuteScalarAsync() is 0L) await Task.Yield();
            await server.KillAsync();
        }
    }

    [ContractTheory(DisplayName =
        "[D4] two databases on one fallback file: the frames of one never get into the other, and wait for their own")]
    [MemberData(nameof(Writers))]
    public async Task Two_databases(string writer)
    {
        // Not copied from the template of the first, whose id it would have.
        var mine = Options(writer);
        var others =
            Options(DatabaseProvider.PostgreSql, server.ConnectionString(await server.CreateEmptyDatabaseAsync()), writer);
        DatabaseSchema.Migrate(others);
        var state = Frame("stored");
        var running = await RunningStorage.StartAsync(mine, "outage");
        await running.Storage.WriteStateAsync(Slice, Stored, state);
        await server.KillAsync();
        state.State = Frame("mine, unsaved").State;
        await FailsAsync(() => running.Storage.WriteStateAsync(Slice, Stored, state));
        await FailsAsync(() => running.Storage.WriteStateAsync(Slice, New, Frame("mine, new")));
        await running.DisposeAsync();
        await server.StartAsync();

        running = await RunningStorage.StartAsync(others, "outage");
        Assert.Equal((0, 2), (((IStorageStatus)running.Storage).PendingFrames, ((IStorageStatus)running.Storage).ForeignFrames));
        Assert.False((await ReadAsync(running, Stored)).RecordExists);
        await running.Storage.WriteStateAsync(Slice, New, Frame("the other's"));
        await ((FallbackGrainStorage)running.Storage).ReplayIfDueAsync();
        Assert.Equal("the other's", Text(await ReadAsync(running, New)));
        await running.DisposeAsync();

        running = await RunningStorage.StartAsync(mine, "outage");
        Assert.Equal("mine, unsaved", Text(await ReadAsync(running, Stored)));
        Assert.Equal("mine, new", Text(await ReadAsync(running, New)));
        Assert.Equal((0, 0), (((IStorageStatus)running.Storage).PendingFrames, ((IStorageStatus)running.Storage).ForeignFrames));
        await running.DisposeAsync();
    }

    [ContractTheory(DisplayName = "[D4] read-only: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public Task Read_only(string writer) => KeepsWhatWasNotTakenAsync(
        Options(writer), () => server.SetReadOnlyAsync(database, true),
        () => server.SetReadOnlyAsync(database, false), isAtStart: true);

    [ContractTheory(DisplayName = "[D4] not answering: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public async Task Hanging(string writer)
    {
        await using var proxy = new TcpProxy(server.Port);
        var connectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString(database))
        {
            Port = proxy.Port, CommandTimeout = 1, Timeout = 1, CancellationTimeout = 100,
        };
        await KeepsWhatWasNotTakenAsync(Options(DatabaseProvider.PostgreSql, connectionString.ConnectionString, writer),
            () => Done(proxy.Hang), () => Done(proxy.Resume));
    }

    [SmallDiskTheory(DisplayName = "[D4] out of room: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public async Task Disk_full(string writer)
    {
        using var disk = SmallDisk.Mount(megabytes: 4);
        await PostgresServer.OwnAsync(disk.Folder);
        await server.ExecuteAsync("postgres", $"CREATE TABLESPACE small LOCATION '{disk.Folder}'");
        await server.ExecuteAsync(database, "ALTER TABLE OrleansStorage SET TABLESPACE small");
        await KeepsWhatWasNotTakenAsync(Options(writer), () => Done(disk.Fill), () => Done(disk.MakeRoom));
        await server.KillAsync();
    }

    private DatabaseOptions Options(string writer, TimeSpan? timeout = null) =>
        Options(DatabaseProvider.PostgreSql, server.ConnectionString(database), writer, timeout);

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}

[OnDatabase(DatabaseProvider.Sqlite)]
public sealed class FallbackOnSqlite : DatabaseFallbackTests
{
    [SmallDiskTheory(DisplayName = "[D4] SQLite out of room: kept, told, and in it after the next start")]
    [MemberData(nameof(Writers))]
    public async Task Disk_full(string writer)
    {
        using var disk = SmallDisk.Mount(megabytes: 4);
        await KeepsWhatWasNotTakenAsync(Migrated(disk, writer), () => Done(disk.Fill), () => Done(disk.MakeRoom));
        SqliteConnection.ClearAllPools();
    }

    [SmallDiskTheory(DisplayName = "[D4] SQLite read-only at the start: refused, since the database does not say its id")]
    [InlineData(nameof(StorageWriter.GroupCommit))]
    public async Task Read_only(string writer)
    {
        using var disk = SmallDisk.Mount(megabytes: 4);
        var options = Migrated(disk, writer);
        await (await RunningStorage.StartAsync(options, "outage")).DisposeAsync();
        await SetReadOnly(true);

        var refusal = await Assert.ThrowsAsync<StorageUnavailableException>(() => RunningStorage.StartAsync(options, "outage"));
        Assert.StartsWith("The silo cannot start while the database is unavailable", refusal.Message);
        await SetReadOnly(false);
        SqliteConnection.ClearAllPools();

        Task SetReadOnly(bool readOnly)
        {
            SqliteConnection.ClearAllPools();
            disk.SetReadOnly(readOnly);
            return Task.CompletedTask;
        }
    }

    private DatabaseOptions Migrated(SmallDisk disk, string writer)
    {
        var options = Options(DatabaseProvider.Sqlite, $"Data Source={Path.Combine(disk.Folder, "chatterbox.db")}", writer);
        DatabaseSchema.Migrate(options);
        return options;
    }

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}

/// <summary>A theory that needs a small disk; skipped, with the reason, where none can be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SmallDiskTheoryAttribute : TheoryAttribute
{
    public SmallDiskTheoryAttribute() => Skip = SmallDisk.Missing;
}
