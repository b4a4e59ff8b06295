namespace Chatterbox.Grains.Persistence;

/// <summary>
/// How much history is kept: one last good copy; so many states from before a replacement, so many from before a migration and so
/// many overtaken ones; and none above an age but the last good copy. Unreadable rows leave by age only.
/// </summary>
/// <param name="Entries">Most entries of each of the three groups.</param>
internal sealed record HistoryRetention(int Entries, TimeSpan Age)
{
    /// <summary>Unreadable rows that one session can have: beyond, nothing more is written over unreadable bytes.</summary>
    public const int MostUnreadable = 32;

    /// <summary>Rows that a history takes at most.</summary>
    public const int Slots = MostUnreadable + 1 + (3 * MostEntries);

    public const int MostEntries = 10;

    public static HistoryRetention Of(ChatterboxOptions options) => new(options.HistoryEntries, options.HistoryAge);

    private enum Group
    {
        LastGood,
        Before,
        BeforeMigration,
        Overtaken,
        Unreadable,
    }

    /// <summary>What stays of entries in order, newest first.</summary>
    public IEnumerable<T> Keep<T>(IEnumerable<T> newestFirst, Func<T, HistoryReason> reasonOf,
        Func<T, DateTimeOffset> atOf, DateTimeOffset now)
    {
        var counts = new Dictionary<Group, int>();
        foreach (var entry in newestFirst)
        {
            var group = GroupOf(reasonOf(entry));
            if (group is not Group.LastGood && now - atOf(entry) > Age) continue;
            var count = counts[group] = counts.GetValueOrDefault(group) + 1;
            if (count <= MostOf(group)) yield return entry;
        }
    }

    private int MostOf(Group group) => group switch
    {
        Group.LastGood => 1,
        Group.Unreadable => int.MaxValue,
        _ => Entries,
    };

    private static Group GroupOf(HistoryReason reason) => reason switch
    {
        HistoryReason.LastGood => Group.LastGood,
        HistoryReason.BeforeMigration => Group.BeforeMigration,
        HistoryReason.Overtaken => Group.Overtaken,
        HistoryReason.Unreadable => Group.Unreadable,
        _ => Group.Before,
    };
}
