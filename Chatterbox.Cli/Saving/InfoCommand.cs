using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Saving;

internal static class InfoCommand
{
    public static Command Create()
    {
        var json = JsonOption.Create();
        return new SessionVerb("info",
            "Prints what the session has stored: slices, history, audio, quota, and how well it saves.",
            """
            Bytes are those of rows and clips. Audio is referenced by the state, pending (an upload that nothing refers to yet) or
            unreferenced (kept for a while, deleted earlier when room is needed). Changes and writes are counted since the session
            was loaded.

            Examples:
              chatterbox info alice
              chatterbox info alice --json | jq .audio.referencedBytes
            """)
        {
            json,
        }.Calls(async run =>
        {
            var info = await run.ReadAsync(grain => grain.GetStorageInfoAsync());
            if (run.Parsed.GetValue(json))
            {
                run.Output.WriteJson(info, ChatterboxJson.Default.StorageInfo);
            }
            else
            {
                StorageTable.Write(run.Output, info);
            }
        });
    }
}
