namespace Chatterbox.Cli.Backup;

/// <summary>How many items a state has, in words: <c>3 workSessions, 12 chunks</c>.</summary>
internal static class ItemCounts
{
    public static string Of(SessionState state) => Of(state.App.CountItems(state));

    public static string Of(ValueList<SliceItems> items) =>
        string.Join(", ", items.Where(each => each.Items > 0)
            .Select(each => $"{each.Items} {each.Slice}")) is { Length: > 0 } some
            ? some
            : "nothing";
}
