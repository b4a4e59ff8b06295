using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.State;

internal static class SetCommand
{
    public static Command Create()
    {
        var assignments = new Argument<string[]>("name=value")
        {
            Description = "A parameter of the selected engine, engine or streaming.",
            Arity = ArgumentArity.OneOrMore,
        };
        return new SessionVerb("set", "Sets parameters, the engine and streaming: all of them, or none.",
            """
            Names:
              engine=chatterbox|multilingual|turbo, streaming=true|false, and the parameters of the engine that is selected
              then, by the model's name or in camel case. A name that the engine does not have lists those it has.

            Examples:
              chatterbox set alice temperature=0.9 cfg_weight=0.3
              chatterbox set alice engine=turbo topK=500 streaming=true
            """)
        {
            assignments,
        }.DoesTts(async run =>
        {
            var wanted = Assignments.Parse(run.Parsed.GetRequiredValue(assignments), run.Store.State.Preferences.Engine);
            await run.ChangeAsync([.. wanted.Changes()]);
        });
    }
}
