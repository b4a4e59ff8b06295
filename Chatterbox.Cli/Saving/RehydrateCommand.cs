using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Saving;

internal static class RehydrateCommand
{
    public static Command Create() =>
        new SessionVerb("rehydrate", "Saves, then loads the session again from storage.",
            """
            Examples:
              chatterbox rehydrate alice
            """)
        .Calls(run => run.SaveAsync(grain => grain.RehydrateAsync()));
}
