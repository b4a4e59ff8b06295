using System.CommandLine;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.State;

namespace Chatterbox.Cli.Documents;

/// <summary>Documents: <c>doc get | set | patch | rm</c>.</summary>
internal static class DocumentCommands
{
    /// <summary>The store unless one is named.</summary>
    private const string Store = "document";

    public static Command Create() => new("doc", "Documents, JSON by key: get, set, patch, rm.")
    {
        Get(), Set(), Patch(), Remove(),
    };

    private static SessionVerb Get()
    {
        var key = new Argument<string?>("KEY") { Description = "Prints its value only.", Arity = ArgumentArity.ZeroOrOne };
        return new SessionVerb("get", "Prints a document, or the value of a key, as JSON. Numbers as they were written.",
            """
            Examples:
              chatterbox doc get alice
              chatterbox doc get alice settings --store notes
            """)
        {
            key, JsonOption.CreateForJsonOnly(),
        }.On(Store).Calls(async run =>
        {
            var state = (await run.ReadAsync(grain => grain.GetChangesSinceAsync(epoch: 0, revision: 0, slices: null))).Snapshot
                as DocumentState ?? throw WrongRequestException.For(
                    Rejection.OfText("store", run.Session.Store, $"a store of the app {DocumentApp.Instance.Name}"));
            if (run.Parsed.GetValue(key) is not { } name)
            {
                await run.Output.WriteLineAsync(StateJson.Indented(state.App.ToJson(state)));
                return;
            }
            using var json = (state.Find(name) ?? throw WrongRequestException.For(Rejection.OfText("key", name, Existing(state))))
                .ToJson();
            await run.Output.WriteLineAsync(StateJson.Indented(json.RootElement));
        });
    }

    private static SessionVerb Set() => Changing("set", "Sets a key, whatever it was before.",
        """
        Examples:
          chatterbox doc set alice settings '{"theme":"dark","size":12}'
          chatterbox doc set alice settings < settings.json
        """, (key, json) => new SetKey(key, json));

    private static SessionVerb Patch() => Changing(
        "patch", "Merges a patch into a key's value (RFC 7396); null removes a member.",
        """
        Examples:
          chatterbox doc patch alice settings '{"theme":"light","size":null}'
        """, (key, json) => new MergePatchKey(key, json));

    private static SessionVerb Remove()
    {
        var key = new Argument<string>("KEY");
        return new SessionVerb("rm", "Removes a key.",
            """
            Examples:
              chatterbox doc rm alice settings
            """)
        {
            key,
        }.On(Store).Does(run => run.ChangeAsync(new RemoveKey(run.Parsed.GetRequiredValue(key))));
    }

    private static SessionVerb Changing(
        string name, string description, string more, Func<string, DocumentValue, DocumentChange> change)
    {
        var key = new Argument<string>("KEY");
        var json = new Argument<string?>("JSON") { Description = "Read from standard input unless given.",
            Arity = ArgumentArity.ZeroOrOne };
        return new SessionVerb(name, description, more) { key, json }.On(Store).Does(async run =>
        {
            var text = run.Parsed.GetValue(json);
            if (text is null)
            {
                await using var input = await run.ReadAsync("-");
                using var reader = new StreamReader(input);
                text = await reader.ReadToEndAsync(run.Token);
            }
            await run.ChangeAsync(change(run.Parsed.GetRequiredValue(key), Parse(text)));
        });
    }

    private static DocumentValue Parse(string text)
    {
        try
        {
            return DocumentValue.Parse(text);
        }
        catch (ArgumentException wrong)
        {
            throw new WrongRequestException(wrong.Message);
        }
    }

    private static string Existing(DocumentState state) => state.Count switch
    {
        0 => "an existing key (there is none)",
        <= 20 => $"an existing key ({string.Join(", ", state.Keys.Select(each => each.Key))})",
        _ => $"one of the {state.Count} existing keys",
    };
}
