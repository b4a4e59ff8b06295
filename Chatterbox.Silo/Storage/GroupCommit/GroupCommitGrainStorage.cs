using System.Globalization;
using System.Runtime.InteropServices;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// Grain storage on the tables of Orleans' ADO.NET provider, with the same keys, etags and exceptions, that sends what all grains
/// of the silo have due as one batch in one transaction. A write completes after its commit, like the stock provider's; a
/// conflict
/// is its writer's alone.
/// </summary>
/// <param name="stock">Deletes rows on clear; null where a cleared row stays, without a payload.</param>
internal sealed partial class GroupCommitGrainStorage(
    string name, string serviceId, DatabaseOptions options, IGrainStorageSerializer serializer, StockGrainStorage? stock,
    IActivatorProvider activators, TimeProvider clock, ILogger<GroupCommitGrainStorage> logger)
    : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>A row of more bytes takes so long that small ones would wait for it.</summary>
    internal const int LargeRow = 1 << 20;

    // Set between start and stop. A row is always written by the same lane, so that its writes stay in order.
    private BatchLane<RowWrite>[] _writers = [];
    private BatchLane<RowRead>? _reader;

    // For rows that would hold up others: each goes alone.
    private IsolatedLanes? _isolated;

    public void Participate(ISiloLifecycle lifecycle)
    {
        lifecycle.Subscribe(nameof(GroupCommitGrainStorage), ServiceLifecycleStage.ApplicationServices, StartAsync, StopAsync);
        stock?.Participate(lifecycle);
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task ReadStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var row = new RowRead(RowKey.Of(stateName, grainId));
        await (_reader ?? throw NotRunning()).RunAsync(row, cancellationToken);
        grainState.State = row.Payload is null
            ? activators.GetActivator<T>().Create()
            : serializer.Deserialize<T>(BinaryData.FromBytes(row.Payload));
        grainState.ETag = row.Version?.ToString(CultureInfo.InvariantCulture);
        grainState.RecordExists = row.Payload is not null;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task WriteStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        var payload = Array(serializer.Serialize(grainState.State).ToMemory());
        grainState.ETag = await WriteAsync("write", stateName, grainId, payload, grainState.ETag, cancellationToken);
        grainState.RecordExists = true;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public async Task ClearStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        if (!grainState.RecordExists && string.IsNullOrWhiteSpace(grainState.ETag))
        {
            await ReadStateAsync(stateName, grainId, grainState, cancellationToken);
            if (!grainState.RecordExists)
                return;
        }
        if (stock is not null)
        {
            await stock.ClearStateAsync(stateName, grainId, grainState, cancellationToken);
            return;
        }
        grainState.ETag = await WriteAsync("clear", stateName, grainId, payload: null, grainState.ETag, cancellationToken);
        grainState.RecordExists = false;
        grainState.State = activators.GetActivator<T>().Create();
    }

    private async Task<string> WriteAsync(
        string operation, string stateName, GrainId grainId, byte[]? payload, string? etag, CancellationToken cancellationToken)
    {
        var version = string.IsNullOrWhiteSpace(etag) ? default(int?) : int.Parse(etag, CultureInfo.InvariantCulture);
        if (version == int.MaxValue)
            throw new StorageRejectedException($"etag: must be less than {int.MaxValue}, the last version of a row, was {etag}");
        var row = new RowWrite(RowKey.Of(stateName, grainId), payload, version);
        row.Key.RequireLengths();
        if (_writers.Length == 0)
            throw NotRunning();
        await LaneOf(row).RunAsync(row, cancellationToken);
        if (!row.Written)
            throw new InconsistentStateException(
                $"Version conflict ({operation}): ServiceId={serviceId} ProviderName={name} GrainType={stateName} "
                + $"GrainId={grainId} ETag={etag}.");
        return ((version ?? 0) + 1).ToString(CultureInfo.InvariantCulture);
    }

    private BatchLane<RowWrite> LaneOf(RowWrite row) =>
        _isolated is not null && (row.Bytes > LargeRow || _isolated.IsSuspect(row.Key))
            ? _isolated.Of(row.Key)
            : _writers[(row.Key.IdHash & int.MaxValue) % _writers.Length];

    private Task StartAsync(CancellationToken cancellationToken)
    {
        var limits = new BatchLimits(options.BatchRows, options.BatchBytes, options.QueueRows, options.Timeout);
        var dialect = DatabaseDialect.Of(options.Provider);
        if (dialect.IsolatedLanes > 0)
            _isolated = new IsolatedLanes(name, dialect.IsolatedLanes, Store, options, clock, logger);
        _writers = [.. Enumerable.Range(1, dialect.WriterLanes).Select(number =>
        {
            var store = Store();
            return new BatchLane<RowWrite>($"{name} writer {number}", limits, store, store.Write, logger)
            {
                Clock = clock,
                Isolate = row => _isolated?.TryIsolate(row) ?? false,
                Refused = row => _isolated?.Suspect(row.Key),
            }.Start();
        })];
        var readStore = Store();
        _reader = new BatchLane<RowRead>($"{name} reader", limits, readStore, rows => readStore.Read(rows, limits.Bytes), logger)
        {
            Clock = clock,
        }.Start();
        return Task.CompletedTask;

        RowStore Store() => dialect.CreateRowStore(options, serviceId, clock);
    }

    /// <summary>The grains have been deactivated by now, so what is queued here is the last that they had to say.</summary>
    private async Task StopAsync(CancellationToken cancellationToken)
    {
        // Two batches may be ahead of the last row: the one under way and the one before it in the queue.
        var timeout = 3 * options.Timeout;
        var drained = await Task.WhenAll(
        [
            .. _writers.Select(lane => lane.DrainAsync(timeout)),
            .. _reader is null ? [] : (Task<bool>[])[_reader.DrainAsync(timeout)],
        ]);
        // After the writers, which hand rows over.
        if (drained.Contains(false) || _isolated is not null && !await _isolated.DrainAsync(timeout))
            LogNotDrained(timeout);
    }

    private static byte[] Array(ReadOnlyMemory<byte> memory) =>
        MemoryMarshal.TryGetArray(memory, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length
            ? segment.Array
            : memory.ToArray();

    private InvalidOperationException NotRunning() => new($"The storage '{name}' has not been started.");

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The database did not take the last writes within {Timeout}; they are lost unless their clients "
            + "are still connected.")]
    private partial void LogNotDrained(TimeSpan timeout);
}
