using System.Text.Json;
using System.Text.Json.Serialization;
using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Grains.Session;

/// <summary>The unfinished work of one client.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.ClientWork")]
internal sealed record ClientWork(
    [property: Id(0)] string Client,
    [property: Id(1)] ValueList<string> Chunks,
    [property: Id(2)] ValueList<string> BatchItems,
    [property: Id(3)] bool IsGenerating);

/// <summary>
/// Which client does which unfinished work: the one that last began or added a chunk or batch item, or said that it generates.
/// Work of a client that is not attached is interrupted by a crash: a client that leaves takes its work off the map, and one that
/// comes back is attached again. So nothing has to be noted when a lease lapses or a silo dies.
/// </summary>
internal sealed class WorkInProgress
{
    private readonly Dictionary<string, string> _chunks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _batchItems = new(StringComparer.Ordinal);
    private readonly HashSet<string> _generating = new(StringComparer.Ordinal);

    /// <summary>Takes note of a client's change that has been applied.</summary>
    public void Note(string client, AppStateChange change)
    {
        switch (change)
        {
            case UpsertChunk upsert: Note(_chunks, upsert.Chunk.Id, upsert.Chunk.Status, client); break;
            case SetChunkStatus set: Note(_chunks, set.Id, set.Status, client); break;
            case CompleteChunk complete: _chunks.Remove(complete.Id); break;
            case RemoveChunk remove: _chunks.Remove(remove.Id); break;
            case UpsertBatchItem upsert: Note(_batchItems, upsert.Item.Id, upsert.Item.Status, client); break;
            case SetBatchItemStatus set: Note(_batchItems, set.Id, set.Status, client); break;
            case RemoveBatchItem remove: _batchItems.Remove(remove.Id); break;
            case SetGenerating { IsGenerating: true }: _generating.Add(client); break;
            case SetGenerating: _generating.Clear(); break;
        }
    }

    /// <summary>Work of these clients is nobody's any more.</summary>
    /// <returns>Whether there was any.</returns>
    public bool Remove(Func<string, bool> isOf)
    {
        var removed = _generating.RemoveWhere(client => isOf(client));
        foreach (var (id, _) in _chunks.Where(each => isOf(each.Value)).ToArray()) removed += _chunks.Remove(id) ? 1 : 0;
        foreach (var (id, _) in _batchItems.Where(each => isOf(each.Value)).ToArray()) removed += _batchItems.Remove(id) ? 1 : 0;
        return removed > 0;
    }

    /// <summary>The work that a crash has interrupted; null when there is none.</summary>
    public CrashInfo? FindInterrupted(AppState state, Func<string, bool> isAttached)
    {
        if (_chunks.Count == 0 && _batchItems.Count == 0 && _generating.Count == 0) return null;
        var crash = new CrashInfo(
            state.Chunks.Where(chunk => IsUnfinished(chunk.Status) && IsInterrupted(_chunks, chunk.Id))
                .Select(chunk => chunk.Id).ToValueList(),
            state.BatchItems.Where(item => IsUnfinished(item.Status) && IsInterrupted(_batchItems, item.Id))
                .Select(item => item.Id).ToValueList(),
            _generating.Any(client => !isAttached(client)));
        return crash is { Chunks.Count: 0, BatchItems.Count: 0, WasGenerating: false } ? null : crash;

        bool IsInterrupted(Dictionary<string, string> owners, string id) =>
            owners.TryGetValue(id, out var client) && !isAttached(client);
    }

    /// <summary>What the recovery row is to say of a state: the unfinished work by client.</summary>
    public ValueList<ClientWork> Describe(AppState state)
    {
        if (_chunks.Count == 0 && _batchItems.Count == 0 && _generating.Count == 0) return [];
        var chunks = state.Chunks.Where(chunk => IsUnfinished(chunk.Status) && _chunks.ContainsKey(chunk.Id))
            .ToLookup(chunk => _chunks[chunk.Id], chunk => chunk.Id);
        var items = state.BatchItems.Where(item => IsUnfinished(item.Status) && _batchItems.ContainsKey(item.Id))
            .ToLookup(item => _batchItems[item.Id], item => item.Id);
        return chunks.Select(each => each.Key).Union(items.Select(each => each.Key)).Union(_generating)
            .Order(StringComparer.Ordinal)
            .Select(
                client =>
                    new ClientWork(client, chunks[client].ToValueList(), items[client].ToValueList(),
                        _generating.Contains(client))).ToValueList();
    }

    /// <summary>The map is this one.</summary>
    public void Restore(ValueList<ClientWork> work)
    {
        Remove(_ => true);
        foreach (var (client, chunks, items, isGenerating) in work)
        {
            foreach (var id in chunks) _chunks[id] = client;
            foreach (var id in items) _batchItems[id] = client;
            if (isGenerating) _generating.Add(client);
        }
    }

    private static void Note(Dictionary<string, string> owners, string id, WorkStatus status, string client)
    {
        if (IsUnfinished(status)) owners[id] = client;
        else owners.Remove(id);
    }

    private static bool IsUnfinished(WorkStatus status) => status is WorkStatus.Pending or WorkStatus.Generating;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ClientWork[]))]
internal sealed partial class RecoveryJson : JsonSerializerContext;

/// <summary>
/// The <c>recovery</c> row: the unfinished work of attached clients. Found on loading, it is how a
/// session knows that a silo has died.
/// </summary>
internal sealed class RecoveryRow(IGrainStorage storage, GrainId owner)
{
    private readonly StoredRow _row = new(storage, owner, "recovery");

    /// <summary>What the row says; null when its content is not known.</summary>
    public ValueList<ClientWork>? Written { get; private set; }

    /// <summary>Reads the row. One that cannot be read says nothing: the slices themselves hold the work.</summary>
    public async Task<ValueList<ClientWork>> LoadAsync()
    {
        var bytes = await _row.ReadAsync();
        try
        {
            var work = bytes is null
                ? []
                : JsonSerializer.Deserialize(SliceFrame.Decode(bytes).Body.Span, RecoveryJson.Default.ClientWorkArray);
            Written = (work ?? []).ToValueList();
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            Written = [];
        }
        return Written;
    }

    public async Task WriteAsync(ValueList<ClientWork> work)
    {
        if (work.Equals(Written)) return;
        Written = null;
        await _row.OverwriteAsync(SliceFrame.Encode(
            JsonSerializer.SerializeToUtf8Bytes([.. work], RecoveryJson.Default.ClientWorkArray), 1, 1024));
        Written = work;
    }

    public RecoveryRowImage Capture() => new(Written, _row.ETag, _row.Length);

    public void Restore(RecoveryRowImage image)
    {
        Written = image.Written;
        _row.Resume(image.ETag, image.Length);
    }
}

[GenerateSerializer, Immutable, Alias("chatterbox.RecoveryRowImage")]
internal sealed record RecoveryRowImage(
    [property: Id(0)] ValueList<ClientWork>? Written, [property: Id(1)] string? ETag, [property: Id(2)] int Length);
