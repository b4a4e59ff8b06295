using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Saving;

internal static class ClearCommand
{
    public static Command Create()
    {
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        return new SessionVerb("clear", "Resets the session to the initial state, in memory and in storage. Asks first.",
            """
            Does not load the state here, so it also clears a session that is too large to open.

            Examples:
              chatterbox clear alice
              chatterbox clear alice --yes
            """)
        {
            yes,
        }.Calls(async run =>
        {
            if (!run.Parsed.GetValue(yes)) await ConfirmAsync(run);
            // Named, so that it is done once however often it is asked for.
            var operation = Guid.NewGuid().ToString("N");
            await run.SaveAsync(grain => grain.ClearPersistedStateAsync(operation));
        });
    }

    private static async Task ConfirmAsync(SessionCall run)
    {
        if (Console.IsInputRedirected) throw new WrongRequestException("--yes is required when standard input is not a terminal");
        var status = await run.ReadAsync(grain => grain.GetStatusAsync());
        var items = string.Join(", ", status.Slices.Where(slice => slice.Items > 0)
            .Select(slice => $"{slice.Items} {slice.Slice}"));
        run.Error.Write($"Clear {run.Session} with {(items.Length > 0 ? items : "nothing in it")}? [y/N] ");
        run.Deadline.Suspend();
        var answer = Console.ReadLine();
        run.Deadline.Extend();
        if (answer?.Trim().ToLowerInvariant() is not ("y" or "yes")) throw new WrongRequestException("not cleared");
    }
}
