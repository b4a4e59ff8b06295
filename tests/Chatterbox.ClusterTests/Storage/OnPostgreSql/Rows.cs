using System.Diagnostics;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Npgsql;

namespace Chatterbox.ClusterTests.Storage.OnPostgreSql;

/// <summary>A hundred rows on a database of their own, written all at once as the sessions of a silo would.</summary>
internal sealed class Rows : IAsyncDisposable
{
    public const int Count = 100;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly RunningStorage _running;
    private readonly GrainState<StoredFrame>[] _states;

    private Rows(RunningStorage running, GrainState<StoredFrame>[] states) => (_running, _states) = (running, states);

    public static GrainId Key(int row) => GrainId.Create("session", $"u/user{row}/app-state");

    /// <summary>Every row is there, with a byte in it.</summary>
    public static async Task<Rows> StartAsync(DatabaseOptions options, string service = "rows")
    {
        var running = await RunningStorage.StartAsync(options, service);
        var rows = new Rows(running,
            [.. Enumerable.Range(0, Count).Select(_ => new GrainState<StoredFrame>(new StoredFrame { Bytes = [1] }))]);
        await Task.WhenAll(Enumerable.Range(0, Count)
            .Select(row => running.Storage.ReadStateAsync("preferences", Key(row), rows._states[row])));
        foreach (var outcome in await rows.WriteAllAsync()) Assert.Null(outcome.Failure);
        return rows;
    }

    /// <summary>Writes every row and says how long each took.</summary>
    public Task<Outcome[]> WriteAllAsync(Func<int, byte[]>? bytes = null) =>
        Task.WhenAll(Enumerable.Range(0, Count).Select(row => WriteAsync(row, bytes?.Invoke(row) ?? [(byte)row])));

    public async Task<GrainState<StoredFrame>> ReadAsync(int row)
    {
        var state = new GrainState<StoredFrame>(new StoredFrame());
        await _running.Storage.ReadStateAsync("preferences", Key(row), state).WaitAsync(Longest);
        return state;
    }

    public Task<Outcome> WriteAsync(int row, byte[] bytes)
    {
        _states[row].State = new StoredFrame { Bytes = bytes };
        return WriteAsync("preferences", Key(row), _states[row]);
    }

    /// <summary>A first write of a row that is not one of the hundred.</summary>
    public Task<Outcome> WriteNewAsync(string name, GrainId key) =>
        WriteAsync(name, key, new GrainState<StoredFrame>(new StoredFrame { Bytes = [1] }));

    private async Task<Outcome> WriteAsync(string name, GrainId key, GrainState<StoredFrame> state)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await _running.Storage.WriteStateAsync(name, key, state).WaitAsync(Longest);
            return new(Stopwatch.GetElapsedTime(started), null);
        }
        catch (Exception failure) when (failure is not TimeoutException || failure is WriteOutcomeUnknownException)
        {
            return new(Stopwatch.GetElapsedTime(started), failure);
        }
    }

    /// <summary>Has a row, of every service, locked by another transaction until that is disposed.</summary>
    public static async Task<RowLock> LockAsync(string connectionString, int row)
    {
        var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            "SELECT 1 FROM OrleansStorage WHERE GrainIdExtensionString = $1 FOR UPDATE", connection, transaction)
        {
            Parameters = { new() { Value = Key(row).Key.ToString() } },
        };
        Assert.NotNull(await command.ExecuteScalarAsync());
        return new(connection, transaction);
    }

    public ValueTask DisposeAsync() => _running.DisposeAsync();

    internal sealed record Outcome(TimeSpan Took, Exception? Failure);

    internal sealed class RowLock(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
