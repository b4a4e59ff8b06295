using System.CommandLine;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.Files;
using Chatterbox.Client.Backup;

namespace Chatterbox.Cli.Backup;

internal static class ImportCommand
{
    private const int ShownNotes = 50;

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "What the browser app has stored, or an export." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Check and say what would be done; change nothing." };
        return new SessionVerb("import", "Replaces the state by a document, all or nothing.",
            """
            Takes:
              What the browser app keeps: {"state": {...}, "version": n}, version 0 where there is none. Audio in base64
              becomes audio clips; blob: URLs are left out.
              What 'export' writes.
              The document is checked as a whole first: when something in it is not allowed, nothing is changed.

            Examples:
              chatterbox import alice browser-state.json --dry-run
              chatterbox import alice browser-state.json
            """)
        {
            file, dryRun,
        }.Does(run => ImportAsync(run, run.Parsed.GetRequiredValue(file), run.Parsed.GetValue(dryRun)));
    }

    private static async Task ImportAsync(SessionRun run, string path, bool dryRun)
    {
        await using var file = InputFile.Open(path);
        ImportReport? report = null;
        try
        {
            await BackupProgressBar.ShowAsync(run, async progress => report = await run.Store.Backup.ImportAsync(file, dryRun, false, progress, run.Token));
        }
        catch (BackupFormatException wrong)
        {
            throw new WrongRequestException($"{path}: {wrong.Message}");
        }
        if (report!.Refused is { } refused) throw new WrongRequestException($"{path}: {refused.Message}");
        Print(run.Output, path, report);
    }

    private static void Print(TextWriter output, string path, ImportReport report)
    {
        output.WriteLine($"{(report.DryRun ? "would import" : "imported")} {path}: version {report.FromVersion} -> {report.ToVersion}"
            + (report.DryRun ? ", nothing was changed" : $", revision {report.Revision}"));
        output.WriteLine($"  {report.WorkSessions} work sessions, {report.SavedVoices} voices, {report.Chunks} chunks, {report.BatchItems} batch items, "
            + $"{report.AudioClips} audio clips ({report.AudioBytes} bytes)");
        foreach (var note in report.Notes.Take(ShownNotes)) output.WriteLine($"  {note}");
        if (report.Notes.Count > ShownNotes) output.WriteLine($"  and {report.Notes.Count - ShownNotes} more such notes");
    }
}
