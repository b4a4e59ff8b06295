using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>Work that was in hand, and who had it. An empty one says that nothing was left open.</summary>
/// <param name="Clients">The clients attached; those that come back have lost nothing.</param>
/// <param name="Crashed">A client went away without a word while the work was in hand: coming back to it is up to the user.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.WorkInHand")]
internal sealed record WorkInHand(
    [property: Id(0)] ValueList<string> Chunks,
    [property: Id(1)] ValueList<string> BatchItems,
    [property: Id(2)] bool IsGenerating,
    [property: Id(3)] ValueList<string> Clients,
    [property: Id(4)] bool Crashed)
{
    public static WorkInHand None { get; } = new([], [], false, [], false);

    [JsonIgnore] public bool IsNone => Chunks.Count == 0 && BatchItems.Count == 0 && !IsGenerating;

    /// <summary>What of the state is in hand: begun or waiting, and not completed, failed or interrupted.</summary>
    public static WorkInHand Of(AppState state, IEnumerable<string> clients, bool crashed)
    {
        var chunks = state.Chunks.Where(chunk => IsInHand(chunk.Status)).Select(chunk => chunk.Id).ToValueList();
        var items = state.BatchItems.Where(item => IsInHand(item.Status)).Select(item => item.Id).ToValueList();
        var work = new WorkInHand(chunks, items, state.Runtime.IsGenerating, [], crashed);
        return work.IsNone ? None : work with { Clients = clients.ToValueList() };
    }

    /// <summary>What of it the state still has in hand.</summary>
    public WorkInHand StillIn(AppState state) => this with
    {
        Chunks = Chunks.Where(id => state.Chunks.Find(id) is { } chunk && IsInHand(chunk.Status)).ToValueList(),
        BatchItems = BatchItems.Where(id => state.BatchItems.Find(id) is { } item && IsInHand(item.Status)).ToValueList(),
    };

    public static bool IsInHand(WorkStatus status) => status is WorkStatus.Pending or WorkStatus.Generating;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(WorkInHand))]
[JsonSerializable(typeof(string))]
internal sealed partial class RecoveryJson : JsonSerializerContext;

/// <summary>
/// The <c>recovery</c> row: present while clients have work in hand, empty after they left in good order. Found open on loading, it
/// is how a session knows that a silo or a client has died.
/// </summary>
internal sealed class RecoveryMarker(IGrainStorage storage, GrainId owner)
{
    private readonly StoredRow _row = new(storage, owner, "recovery");

    /// <summary>What the row says; null when its content is not known.</summary>
    public WorkInHand? Written { get; private set; }

    /// <summary>Reads the marker. One that cannot be read marks nothing: the slices themselves hold the work.</summary>
    public async Task<WorkInHand> LoadAsync()
    {
        var bytes = await _row.ReadAsync();
        try
        {
            return Written = bytes is null
                ? WorkInHand.None
                : JsonSerializer.Deserialize(SliceFrame.Decode(bytes).Body.Span, RecoveryJson.Default.WorkInHand) ?? WorkInHand.None;
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            return Written = WorkInHand.None;
        }
    }

    public MarkerImage Capture() => new(Written, _row.ETag, _row.Length);

    public void Restore(MarkerImage image)
    {
        Written = image.Written;
        _row.Resume(image.ETag, image.Length);
    }

    public async Task WriteAsync(WorkInHand work)
    {
        if (work == Written) return;
        Written = null;
        await _row.OverwriteAsync(SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes(work, RecoveryJson.Default.WorkInHand), 1, 1024));
        Written = work;
    }
}
