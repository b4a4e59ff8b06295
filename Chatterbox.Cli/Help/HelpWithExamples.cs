using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Help;

/// <summary>The usual help, then the verb's notes and examples.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    private const string OfTheWhole =
        """
        Exit codes:
          0  done, and stored
          1  an error in the tool itself
          2  the request was wrong; the message names the field, the value and what is allowed
          3  the service cannot be reached, or cannot store
          4  'migrate --check' has found sessions that would not load

        Examples:
          chatterbox import alice browser-state.json
          chatterbox set alice temperature=0.9 cfg_weight=0.3
          chatterbox watch alice preferences.parameters
          chatterbox export alice -o alice.json

        What begins with - and is no option stands behind --: chatterbox get -- -bob
        """;

    // Help is also printed after an argument error.
    public override bool ClearsParseErrors => usual.ClearsParseErrors;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        var more = parseResult.CommandResult.Command switch
        {
            RootCommand => OfTheWhole,
            SessionVerb verb => verb.More,
            ClusterVerb verb => verb.More,
            _ => null,
        };
        if (more is null) return code;
        parseResult.InvocationConfiguration.Output.WriteLine(more);
        return code;
    }
}
