using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.State;

namespace Chatterbox.Cli.Recovery;

/// <summary>The session's history: <c>history list | show | restore | drop</c>.</summary>
internal static class HistoryCommands
{
    public static Command Create() =>
        new("history", "Earlier states, originals from before a migration, unreadable rows: list, show, restore, drop.")
    {
        List(), Show(), Restore(), Drop(),
    };

    private static SessionVerb List()
    {
        var json = Json("Print an array of {id, reason, detail, slices, at, length, schemaVersion}.");
        return new SessionVerb("list", "Lists the entries, newest first, a line each.",
            """
            A line holds the id, when, the reason (lastGood, beforeClear, beforeImport, beforeRestore, beforeCleanUp,
            beforeMigration, expired, unreadable or overtaken), the slices, the bytes, and the reason in words; tabs in between.

            Examples:
              chatterbox history list alice
              chatterbox history list alice --json | jq -r '.[0].id'
            """)
        {
            json,
        }.Does(async run =>
        {
            var items = await run.Store.History.ListAsync(run.Token);
            if (run.Parsed.GetValue(json))
            {
                await run.Output.WriteLineAsync(StateJson.Indented(new JsonArray([.. items.Select(Describe)])));
                return;
            }
            foreach (var item in items)
            {
                await run.Output.WriteLineAsync(string.Join('\t', item.Id,
                    item.At.ToString("u", CultureInfo.InvariantCulture), item.Reason,
                    string.Join(',', item.Slices), $"{item.Length} bytes", item.Detail));
            }
        });
    }

    private static SessionVerb Show()
    {
        var id = Id();
        return new SessionVerb("show", "Prints an entry as JSON: what it is, and the stored JSON of each slice.",
            """
            A slice that cannot be read has "state": null, and its bytes as "base64".

            Examples:
              chatterbox history show alice 039058c6f2c0cb49
              chatterbox history show alice 039058c6f2c0cb49 | jq '.slices.preferences.state'
            """)
        {
            id,
        }.Does(async run =>
        {
            var content = await run.Store.History.ReadAsync(run.Parsed.GetRequiredValue(id), run.Token) ?? throw Unknown(run, id);
            var document = Describe(content.Item);
            document["slices"] = new JsonObject(content.Rows.Select(row => KeyValuePair.Create(row.Slice, Describe(row))));
            await run.Output.WriteLineAsync(StateJson.Indented(document));
        });
    }

    private static SessionVerb Restore()
    {
        var id = Id();
        return new SessionVerb("restore", "Restores the slices of an entry, if the silo can read them. The entry stays.",
            """
            The state from before is kept: 'chatterbox recover USER --undo' restores it.

            Examples:
              chatterbox history restore alice 039058c6f2c0cb49
            """)
        {
            id,
        }.Does(async run => await RecoveryCommands.PrintAsync(run,
            await RecoveryCommands.RefusedAsWrong(run.Store.History.RestoreAsync(run.Parsed.GetRequiredValue(id), run.Token))));
    }

    private static SessionVerb Drop()
    {
        var id = Id();
        return new SessionVerb("drop", "Deletes an entry permanently.",
            """
            Examples:
              chatterbox history drop alice 039058c6f2c0cb49
            """)
        {
            id,
        }.Does(async run =>
        {
            var isDropped =
                await RecoveryCommands.RefusedAsWrong(run.Store.History.DropAsync(run.Parsed.GetRequiredValue(id), run.Token));
            if (!isDropped) throw Unknown(run, id);
        });
    }

    private static JsonObject Describe(HistoryItem item) => new()
    {
        ["id"] = item.Id,
        ["reason"] = item.Reason,
        ["detail"] = item.Detail,
        ["slices"] = new JsonArray([.. item.Slices.Select(slice => JsonValue.Create(slice))]),
        ["at"] = item.At.ToString("O", CultureInfo.InvariantCulture),
        ["length"] = item.Length,
        ["schemaVersion"] = item.SchemaVersion,
    };

    private static JsonNode? Describe(HistoryRow row)
    {
        try
        {
            if (row.Json is { } json && JsonNode.Parse(json) is { } stored) return stored;
        }
        catch (System.Text.Json.JsonException)
        {
            // An unreadable row is shown as bytes.
        }
        return new JsonObject { ["state"] = null, ["base64"] = Convert.ToBase64String(row.Bytes) };
    }

    private static Argument<string> Id() => new("ID") { Description = "As 'history list' shows it." };

    private static Option<bool> Json(string description) => new("--json") { Description = description };

    private static WrongRequestException Unknown(SessionRun run, Argument<string> id) =>
        new(Rejection.OfText("history", run.Parsed.GetRequiredValue(id), "the id of an entry that 'history list' shows").Message);
}
