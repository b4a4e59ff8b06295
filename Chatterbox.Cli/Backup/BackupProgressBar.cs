using Chatterbox.Cli.Connection;
using Chatterbox.Client.Backup;
using Spectre.Console;

namespace Chatterbox.Cli.Backup;

/// <summary>A progress bar per stage on standard error, if that is a terminal.</summary>
internal static class BackupProgressBar
{
    public static async Task ShowAsync(SessionRun run, Func<IProgress<BackupProgress>, Task> work)
    {
        if (Console.IsErrorRedirected)
        {
            await work(new Progress(run.Deadline, null));
            return;
        }
        var terminal = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
        await terminal.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn())
            .StartAsync(context => work(new Progress(run.Deadline, context)));
    }

    /// <summary>Reports synchronously, so that the last report is not late.</summary>
    private sealed class Progress(Deadline deadline, ProgressContext? context) : IProgress<BackupProgress>
    {
        private readonly Dictionary<BackupStage, ProgressTask> _bars = [];

        public void Report(BackupProgress value)
        {
            deadline.Extend();
            if (context is null) return;
            if (!_bars.TryGetValue(value.Stage, out var bar)) _bars[value.Stage] = bar = context.AddTask(Name(value.Stage));
            bar.MaxValue = Math.Max(value.Total, 1);
            bar.Value = value.Done;
        }

        private static string Name(BackupStage stage) => stage switch
        {
            BackupStage.Checking => "checking",
            BackupStage.Uploading => "storing audio",
            _ => "exporting",
        };
    }
}
