using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Recovery;

/// <summary>Recovery from crashes and mistakes: <c>recover</c>, <c>recovery clear</c>.</summary>
internal static class RecoveryCommands
{
    public static Command Recover()
    {
        var undo = new Option<bool>("--undo")
        {
            Description =
                "Restore the newest state from before a clear, import, restore, clean-up or expiry, whatever has followed it.",
        };
        return new SessionVerb("recover", "Marks work that a crash has interrupted, ready to run again; undoes a clear.",
            """
            Doing it again does nothing. A clear is undone only while nothing has followed it; --undo always restores, and another
            --undo undoes that. 'chatterbox history list USER' shows all earlier states.

            Examples:
              chatterbox recover alice
              chatterbox recover alice --undo
            """)
        {
            undo,
        }.Does(async run =>
        {
            var recovery = run.Store.Recovery;
            var report = await RefusedAsWrong(run.Parsed.GetValue(undo)
                ? run.Store.History.UndoAsync(run.Token)
                : recovery.RecoverFromCrashAsync(run.Token));
            await PrintAsync(run, report);
        });
    }

    public static Command Recovery() => new("recovery", "Work that a crash has interrupted: clear.")
    {
        new SessionVerb("clear", "Drops work that a crash has interrupted. Doing it again does nothing.",
            """
            The state from before is kept: 'chatterbox recover USER --undo' restores it.

            Examples:
              chatterbox recovery clear alice
            """)
        .Does(run => SessionRun.SavedAsync(run.Store.Recovery.ClearRecoveryStateAsync(run.Token))),
    };

    /// <exception cref="WrongRequestException">The session refused.</exception>
    internal static async Task<T> RefusedAsWrong<T>(Task<T> report)
    {
        try
        {
            return await report;
        }
        catch (ArgumentException refused)
        {
            throw new WrongRequestException(refused.Message);
        }
    }

    internal static async Task PrintAsync(SessionRun run, RecoveryReport report)
    {
        foreach (var id in report.Chunks) await run.Output.WriteLineAsync($"chunk {id}: interrupted, ready to run again");
        foreach (var id in report.BatchItems)
            await run.Output.WriteLineAsync($"batch item {id}: interrupted, ready to run again");
        foreach (var what in report.Restored) await run.Output.WriteLineAsync($"restored: {what}");
        if (report is { Chunks.Count: 0, BatchItems.Count: 0, Restored.Count: 0 })
            await run.Output.WriteLineAsync("nothing to recover");
        if (report.Unsaved is { } failing)
            throw new OutOfServiceException($"done, but not stored yet; the silo keeps trying: {failing}");
    }
}
