using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Work;

/// <summary><c>list</c>: the items of one slice as a table, or as a JSON array with <c>--json</c>.</summary>
internal static class ItemList
{
    private const int LongestCell = 60;

    /// <param name="noun">The verb's group, such as <c>chunk</c>.</param>
    /// <param name="columns">Name and value of each column of the table.</param>
    public static SessionVerb Create<T>(
        string noun, string description, string slice, Func<AppState, ValueList<T>> items, JsonTypeInfo<ValueList<T>> type,
        params (string Name, Func<T, string> Value)[] columns)
        where T : class, IKeyed
    {
        var json = JsonOption.Create();
        return new SessionVerb("list", description,
            $"""
            --json prints an array of the items with all their members.

            Examples:
              chatterbox {noun} list alice
              chatterbox {noun} list alice --json | jq '.[].id'
            """)
        {
            json,
        }.Calls(async run =>
        {
            var found = await run.ReadAsync(grain => grain.GetChangesSinceAsync(epoch: 0, revision: 0, [slice]));
            var list = items(found.Snapshot as AppState ?? throw OtherApp(found.Snapshot!));
            if (run.Parsed.GetValue(json)) run.Output.WriteJson(list, type);
            else foreach (var line in Lines(list, columns)) run.Output.WriteLine(line);
        });
    }

    /// <summary>A line for the names and one for each item, in columns of equal width.</summary>
    internal static IEnumerable<string> Lines<T>(IEnumerable<T> items, (string Name, Func<T, string> Value)[] columns)
    {
        string[][] rows =
        [
            [.. columns.Select(column => column.Name)],
            .. items.Select(item => columns.Select(column => Cell(column.Value(item))).ToArray()),
        ];
        var widths = columns.Select((_, at) => rows.Max(row => row[at].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, at) => cell.PadRight(widths[at]))).TrimEnd());
    }

    private static WrongRequestException OtherApp(SessionState state) =>
        WrongRequestException.For(Rejection.OfText("store", state.App.Name, $"a store of the app {TtsApp.Instance.Name}"));

    public static string Time(DateTimeOffset at) => at.ToString("u", CultureInfo.InvariantCulture);

    public static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    // A line break would break the table row.
    private static string Cell(string text)
    {
        var line = text.ReplaceLineEndings(" ").Replace('\t', ' ');
        if (line.Length <= LongestCell) return line;
        var end = char.IsHighSurrogate(line[LongestCell - 2]) ? LongestCell - 2 : LongestCell - 1;
        return $"{line[..end]}…";
    }
}
