using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Saving;

internal static class StatusCommand
{
    public static Command Create() =>
        new SessionVerb("status", "Prints the session's status as JSON: revisions, saving, attached clients, stored slices.",
            """
            Examples:
              chatterbox status alice
              chatterbox status alice | jq .save
            """)
        {
            JsonOption.CreateForJsonOnly(),
        }.Calls(async run =>
            run.Output.WriteJson(await run.ReadAsync(grain => grain.GetStatusAsync()), ChatterboxJson.Default.SessionStatus));
}
