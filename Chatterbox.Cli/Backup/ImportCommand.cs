using System.CommandLine;
using System.Text.RegularExpressions;
using Chatterbox.Cli.Connection;
using Chatterbox.Client.Backup;

namespace Chatterbox.Cli.Backup;

internal static partial class ImportCommand
{
    private const int ShownNotes = 50;

    public static Command Create()
    {
        var file =
            new Argument<string>("FILE") { Description = "The browser app's stored state, or an export; - is standard input." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Check and report; change nothing." };
        var strict = new Option<bool>("--strict") { Description = "Refuse a document with any invalid value." };
        var json = JsonOption.Create();
        return new SessionVerb("import", "Replaces the state by a document, all or nothing.",
            """
            Takes:
              The browser app's stored state: {"state": {...}, "version": n}; a missing version is 0. Audio in base64 becomes
              audio clips; blob: URLs are left out.
              A document that 'export' wrote.
              Invalid values are corrected or left out one by one and counted in the report; --json lists each with its path.
              A text too long for one chunk is split. With --strict a document with an invalid value is refused.
              The replaced state is kept: 'chatterbox recover USER --undo' restores it.

            Examples:
              chatterbox import alice browser-state.json --dry-run
              chatterbox import alice browser-state.json
              chatterbox import alice browser-state.json --json | jq '.mends[]'
              xz -dc alice.json.xz | chatterbox import alice -
            """)
        {
            file, dryRun, strict, json,
        }.Does(run => ImportAsync(run, run.Parsed.GetRequiredValue(file), run.Parsed.GetValue(dryRun),
            run.Parsed.GetValue(strict), run.Parsed.GetValue(json)));
    }

    private static async Task ImportAsync(SessionRun run, string path, bool dryRun, bool strict, bool json)
    {
        await using var file = await run.ReadAsync(path);
        var before = run.Store.State;
        ImportReport? report = null;
        try
        {
            await BackupProgressBar.ShowAsync(run, async progress =>
                report = await run.Store.Backup.ImportAsync(file, dryRun, strict, progress, run.Token));
        }
        catch (BackupFormatException wrong)
        {
            throw new WrongRequestException($"{path}: {wrong.Message}");
        }
        if (report!.Refused is { } refused) throw new WrongRequestException($"{path}: {refused.Message}");
        if (json) run.Output.WriteJson(report, ChatterboxJson.Default.ImportReport);
        else foreach (var line in Describe(path, before, report)) run.Output.WriteLine(line);
    }

    internal static IEnumerable<string> Describe(string path, SessionState before, ImportReport report)
    {
        yield return $"{(report.DryRun ? "would import" : "imported")} {path}: version {report.FromVersion} -> {report.ToVersion}"
            + (report.DryRun ? ", nothing was changed" : $", revision {report.Revision}");
        yield return $"  {ItemCounts.Of(report.Items)}, "
            + $"{report.AudioClips} audio clips ({report.AudioBytes} bytes)";
        yield return $"  {(report.DryRun ? "would replace" : "replaced")} "
            + ItemCounts.Of(before);
        foreach (var note in report.Notes.Take(ShownNotes)) yield return $"  {note}";
        if (report.Notes.Count > ShownNotes)
            yield return $"  and {report.Notes.Count - ShownNotes} more such notes; --json lists them";
        foreach (var line in Mends(report)) yield return $"  {line}";
    }

    private static IEnumerable<string> Mends(ImportReport report)
    {
        if (report.Mends.Count == 0) yield break;
        yield return $"{report.Mends.Count + report.MoreMends} values mended or left out; --json lists them:";
        // Grouped by place, ignoring the index of the item.
        var kinds = report.Mends.GroupBy(mend => Index().Replace(mend.Place, "[]"), StringComparer.Ordinal).ToArray();
        foreach (var kind in kinds.Take(ShownNotes))
        {
            yield return kind.Count() == 1 ? $"  {kind.First()}" : $"  {kind.Count()} x {kind.Key}; the first: {kind.First()}";
        }
        if (kinds.Length > ShownNotes) yield return $"  and {kinds.Length - ShownNotes} more kinds";
    }

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();
}
