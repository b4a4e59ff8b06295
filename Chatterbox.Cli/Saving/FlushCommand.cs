using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Saving;

internal static class FlushCommand
{
    public static Command Create() =>
        new SessionVerb("flush", "Saves now, and ends once everything is stored.",
            """
            Examples:
              chatterbox flush alice
            """)
        .Calls(run => run.SaveAsync(grain => grain.FlushAsync()));
}
