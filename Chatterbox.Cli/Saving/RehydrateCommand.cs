using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Saving;

internal static class RehydrateCommand
{
    public static Command Create() =>
        new SessionVerb("rehydrate", "Saves, and has the session load itself again from storage.",
            """
            Examples:
              chatterbox rehydrate alice
            """)
        .Does(run => SessionRun.SavedAsync(run.Store.Persistence.RehydrateAsync(run.Token)));
}
