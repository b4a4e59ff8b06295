using System.CommandLine;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.Files;
using Chatterbox.Client.Backup;

namespace Chatterbox.Cli.Backup;

internal static class ExportCommand
{
    public static Command Create()
    {
        var noAudio = new Option<bool>("--no-audio") { Description = "The state only; its audio stays where it is." };
        return new SessionVerb("export", "Writes the state and its audio as one JSON document.",
            """
            The document describes itself: "format", "formatVersion", "exportedAt", "store", "schemaVersion", the "state" and the
            "audio" clips in base64 with hash and media type. 'import' reads it.

            Examples:
              chatterbox export alice -o alice.json
              chatterbox export alice --no-audio -o - | jq .state.preferences
            """)
        {
            OutputFile.Option, noAudio,
        }.Does(async run =>
        {
            var withAudio = !run.Parsed.GetValue(noAudio);
            ExportReport? report = null;
            await BackupProgressBar.ShowAsync(run,
                progress => OutputFile.WriteAsync(run.Parsed.GetRequiredValue(OutputFile.Option),
                async file => report = await run.Store.Backup.ExportAsync(file, withAudio, progress, run.Token)));
            Print(run.Error, report!, withAudio);
        });
    }

    private static void Print(TextWriter error, ExportReport report, bool withAudio)
    {
        error.WriteLine(
            $"exported revision {report.Revision}: {ItemCounts.Of(report.State)}, "
            + (withAudio ? $"{report.Clips} audio clips ({report.AudioBytes} bytes)" : "no audio"));
        foreach (var hash in report.Missing) error.WriteLine($"  left out: the clip {hash} is missing or damaged");
    }
}
