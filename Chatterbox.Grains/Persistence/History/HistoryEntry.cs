using System.Text.Json.Serialization;

namespace Chatterbox.Grains.Persistence;

/// <summary>A line of the history's index.</summary>
/// <param name="Slot">Its bytes are in the row <c>history-{slot}</c>.</param>
/// <param name="Length">Bytes of all its rows.</param>
internal sealed record HistoryEntry(
    string Id, int Slot, HistoryReason Reason, string Detail, string[] Slices, DateTimeOffset At, int Length,
    int SchemaVersion, long Revision)
{
    public HistoryItem ToItem() => new(Id, Reason.Name(), Detail, Slices.ToValueList(), At, Length, SchemaVersion);
}

/// <summary>What precedes the bytes in an entry's row: the index can be made anew from these.</summary>
internal sealed record HistoryHeader(string Of, HistoryEntry Entry, int[] Lengths);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(List<HistoryEntry>))]
[JsonSerializable(typeof(HistoryHeader))]
internal sealed partial class HistoryJson : JsonSerializerContext;
