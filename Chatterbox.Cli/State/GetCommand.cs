using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.State;

internal static class GetCommand
{
    public const string Paths =
        """
        Paths:
          Names separated by dots. Items of a list by id, or by index counted from 0. Parameters also by the model's
          name. preferences.parameters are those of the selected engine; the others are in preferences.otherEngines.
        """;

    public static Command Create()
    {
        var path = new Argument<string?>("PATH") { Description = "Where in the state.", Arity = ArgumentArity.ZeroOrOne };
        return new SessionVerb("get", "Prints the state, or the value at a path, as JSON.",
            $"""
            {Paths}

            Examples:
              chatterbox get alice
              chatterbox get alice preferences.parameters.temperature
              chatterbox get alice preferences.parameters.cfg_weight
              chatterbox get alice chunks.0.text
              chatterbox get alice workSessions.session-1.chunkIds
            """)
        {
            path, JsonOption.CreateForJsonOnly(),
        }.Calls(async run =>
        {
            var state = (await run.ReadAsync(grain => grain.GetChangesSinceAsync(epoch: 0, revision: 0, slices: null))).Snapshot!;
            var value = run.Parsed.GetValue(path) is { } place ? new StatePath(place).Find(state) : state.App.ToJson(state);
            await run.Output.WriteLineAsync(StateJson.Indented(value));
        });
    }
}
