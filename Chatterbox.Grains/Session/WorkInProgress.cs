using System.Text.Json;
using System.Text.Json.Serialization;
using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Grains.Session;

/// <summary>The unfinished work of one client, by kind.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.ClientWork")]
internal sealed record ClientWork([property: Id(0)] string Client, [property: Id(1)] ValueList<WorkItems> Items);

/// <summary>
/// Which client does which unfinished work: the one that last began or added an item, or said that it works on it. Work of a
/// client that is not attached is interrupted by a crash: a client that leaves takes its work off the map, and one that comes
/// back is attached again. So nothing has to be noted when a lease lapses or a silo dies.
/// </summary>
internal sealed class WorkInProgress(SiloApp app)
{
    private readonly WorkLog _log = new();

    /// <summary>Takes note of a client's change that has been applied.</summary>
    public void Note(string client, SessionChange change) => change.NoteWork(_log, client);

    /// <summary>Work of these clients is nobody's any more.</summary>
    /// <returns>Whether there was any.</returns>
    public bool Remove(Func<string, bool> isOf) => _log.EndOf(isOf);

    /// <summary>The work that a crash has interrupted; empty when there is none.</summary>
    public ValueList<WorkItems> FindInterrupted(SessionState state, Func<string, bool> isAttached) =>
        _log.IsEmpty ? [] : Select(state, client => !isAttached(client));

    /// <summary>What the recovery row is to say of a state: the unfinished work by client.</summary>
    public ValueList<ClientWork> Describe(SessionState state)
    {
        if (_log.IsEmpty) return [];
        var clients = _log.Kinds.SelectMany(kind => _log.Owners(kind).Values).Distinct().Order(StringComparer.Ordinal);
        return clients.Select(client => new ClientWork(client, Select(state, each => each == client)))
            .Where(work => work.Items.Count > 0).ToValueList();
    }

    /// <summary>The map is this one.</summary>
    public void Restore(ValueList<ClientWork> work)
    {
        _log.Clear();
        foreach (var (client, items) in work)
        {
            foreach (var (kind, ids) in items)
            {
                foreach (var id in ids) _log.Begin(kind, id, client);
            }
        }
    }

    private ValueList<WorkItems> Select(SessionState state, Func<string, bool> isOf) =>
        _log.Kinds.Select(kind => new WorkItems(kind, Select(state, kind, isOf))).Where(work => work.Ids.Count > 0).ToValueList();

    private ValueList<string> Select(SessionState state, string kind, Func<string, bool> isOf)
    {
        var owners = _log.Owners(kind);
        if (!owners.Values.Any(isOf)) return [];
        return (app.Unfinished(state, kind) ?? owners.Keys.Order(StringComparer.Ordinal))
            .Where(id => owners.TryGetValue(id, out var client) && isOf(client)).ToValueList();
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ClientWork[]))]
[JsonSerializable(typeof(WorkItems))]
[JsonSerializable(typeof(string))]
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
