using System.CommandLine;
using System.Globalization;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Recovery;

/// <summary>Bytes that were set aside: <c>quarantine list | show | restore | drop</c>.</summary>
internal static class QuarantineCommands
{
    private const int BytesPerLine = 16;

    public static Command Create() => new("quarantine", "Bytes that could not be read, or were kept before a migration or an outage's end: list, show, restore, drop.")
    {
        List(), Show(), Restore(), Drop(),
    };

    private static SessionVerb List() => new SessionVerb("list", "Lists what has been set aside, a line each.",
        """
        A line holds the id, when, which slice, why (unreadable, migrated or overtaken), the bytes, and the reason; tabs in between.

        Examples:
          chatterbox quarantine list alice
        """)
    .Does(async run =>
    {
        foreach (var item in await run.Store.Recovery.ListQuarantineAsync(run.Token))
        {
            await run.Output.WriteLineAsync(string.Join('\t', item.Id, item.At.ToString("u", CultureInfo.InvariantCulture), item.Slice, item.Kind,
                $"{item.Length} bytes", item.Reason));
        }
    });

    private static SessionVerb Show()
    {
        var id = Id();
        return new SessionVerb("show", "Prints the bytes in hexadecimal and as text.",
            """
            Examples:
              chatterbox quarantine show alice 039058c6f2c0cb49
            """)
        {
            id,
        }.Does(async run =>
        {
            var bytes = await run.Store.Recovery.ReadQuarantineAsync(run.Parsed.GetRequiredValue(id), run.Token) ?? throw Unknown(run, id);
            for (var at = 0; at < bytes.Length; at += BytesPerLine)
            {
                var line = bytes.AsMemory(at, Math.Min(BytesPerLine, bytes.Length - at));
                var text = string.Concat(line.ToArray().Select(each => each is >= 0x20 and < 0x7f ? (char)each : '.'));
                await run.Output.WriteLineAsync($"{at:x8}  {Convert.ToHexStringLower(line.Span).PadRight(2 * BytesPerLine)}  {text}");
            }
        });
    }

    private static SessionVerb Restore()
    {
        var id = Id();
        return new SessionVerb("restore", "Puts a slice back from these bytes, if the silo can read them. They stay in quarantine.",
            """
            A copy of the state is kept: 'chatterbox recover USER --undo' brings it back.

            Examples:
              chatterbox quarantine restore alice 039058c6f2c0cb49
            """)
        {
            id,
        }.Does(async run => await RecoveryCommands.PrintAsync(run,
            await RecoveryCommands.RefusedAsWrong(run.Store.Recovery.RestoreQuarantineAsync(run.Parsed.GetRequiredValue(id), run.Token))));
    }

    private static SessionVerb Drop()
    {
        var id = Id();
        return new SessionVerb("drop", "Deletes the bytes, for good.",
            """
            Examples:
              chatterbox quarantine drop alice 039058c6f2c0cb49
            """)
        {
            id,
        }.Does(async run =>
        {
            if (!await run.Store.Recovery.DropQuarantineAsync(run.Parsed.GetRequiredValue(id), run.Token)) throw Unknown(run, id);
        });
    }

    private static Argument<string> Id() => new("ID") { Description = "As 'quarantine list' shows it." };

    private static WrongRequestException Unknown(SessionRun run, Argument<string> id) =>
        new(Rejection.OfText("quarantine id", run.Parsed.GetRequiredValue(id), "one that 'quarantine list' shows").Message);
}
