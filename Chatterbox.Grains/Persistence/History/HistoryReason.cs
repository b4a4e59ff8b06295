using System.Text.Json.Serialization;

namespace Chatterbox.Grains.Persistence;

/// <summary>Why rows are kept. The names are those of the index and of <see cref="HistoryItem.Reason"/>.</summary>
[GenerateSerializer, Alias("chatterbox.HistoryReason")]
internal enum HistoryReason
{
    /// <summary>The daily copy, from which an unreadable slice starts.</summary>
    [JsonStringEnumMemberName("lastGood")] LastGood = 0,

    [JsonStringEnumMemberName("beforeClear")] BeforeClear = 1,
    [JsonStringEnumMemberName("beforeImport")] BeforeImport = 2,
    [JsonStringEnumMemberName("beforeRestore")] BeforeRestore = 3,

    /// <summary>Before the quota clean-up dropped audio.</summary>
    [JsonStringEnumMemberName("beforeCleanUp")] BeforeCleanUp = 4,

    [JsonStringEnumMemberName("beforeMigration")] BeforeMigration = 5,
    [JsonStringEnumMemberName("expired")] Expired = 6,
    [JsonStringEnumMemberName("unreadable")] Unreadable = 7,

    /// <summary>Not what the session went on with: a conflict, or a frame of the fallback file that came too late.</summary>
    [JsonStringEnumMemberName("overtaken")] Overtaken = 8,
}

internal static class HistoryReasons
{
    /// <summary>Whether the entry holds the state from before it was replaced: undo restores the newest of these.</summary>
    public static bool IsBefore(this HistoryReason reason) => reason is HistoryReason.BeforeClear or HistoryReason.BeforeImport
        or HistoryReason.BeforeRestore or HistoryReason.BeforeCleanUp or HistoryReason.Expired;

    /// <summary>The reason's name in JSON.</summary>
    public static string Name(this HistoryReason reason) =>
        System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(reason.ToString());
}
