using System.CommandLine;
using System.Text.Json;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.State;

namespace Chatterbox.Cli.Saving;

internal static class InfoCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print it as JSON, for scripts." };
        return new SessionVerb("info", "Prints what the session has stored: slices, history, audio, quota, and how well it saves.",
            """
            Bytes are those of the rows and clips. Audio is referenced by the state, pending as an upload that nothing refers to
            yet, or unreferenced: let go of, kept for a while and deleted when the room is needed. Changes and writes count since
            the session was loaded.

            Examples:
              chatterbox info alice
              chatterbox info alice --json | jq .audio.referencedBytes
            """)
        {
            json,
        }.Does(async run =>
        {
            var info = await run.Store.Persistence.GetStorageInfoAsync(run.Token);
            if (run.Parsed.GetValue(json))
            {
                await run.Output.WriteLineAsync(StateJson.Indented(JsonSerializer.SerializeToElement(info, ChatterboxJson.Default.StorageInfo)));
            }
            else
            {
                StorageTable.Write(run.Output, info);
            }
        });
    }
}
