using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Saving;

internal static class ClearCommand
{
    public static Command Create()
    {
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        return new SessionVerb("clear", "Puts the session back to the initial state, here and in storage. Asks first.",
            """
            Examples:
              chatterbox clear alice
              chatterbox clear alice --yes
            """)
        {
            yes,
        }.Does(async run =>
        {
            if (!run.Parsed.GetValue(yes)) Confirm(run);
            await SessionRun.SavedAsync(run.Store.Persistence.ClearPersistedStateAsync(run.Token));
        });
    }

    private static void Confirm(SessionRun run)
    {
        if (Console.IsInputRedirected) throw new WrongRequestException("--yes is required when standard input is not a terminal");
        var state = run.Store.State;
        run.Error.Write($"Clear {run.Store.Session} with {state.WorkSessions.Count} work sessions, {state.SavedVoices.Count} voices and "
            + $"{state.Chunks.Count} chunks? [y/N] ");
        run.Deadline.Suspend();
        var answer = Console.ReadLine();
        run.Deadline.Extend();
        if (answer?.Trim().ToLowerInvariant() is not ("y" or "yes")) throw new WrongRequestException("not cleared");
    }
}
