using System.CommandLine;
using System.Text.Json;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.State;

namespace Chatterbox.Cli.Saving;

internal static class StatusCommand
{
    public static Command Create() =>
        new SessionVerb("status", "Prints how the session stands: revisions, saving, who is attached, what is stored.",
            """
            Examples:
              chatterbox status alice
            """)
        .Does(async run =>
        {
            var status = await run.Store.Persistence.GetStatusAsync(run.Token);
            await run.Output.WriteLineAsync(
                StateJson.Indented(JsonSerializer.SerializeToElement(status, ChatterboxJson.Default.SessionStatus)));
        });
}
