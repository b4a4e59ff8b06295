using System.CommandLine;
using System.CommandLine.Help;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Help;

/// <summary>The root: what every verb shares, help with examples, and exit codes.</summary>
internal sealed class ChatterboxCommand : RootCommand
{
    /// <summary>How long an interrupted verb has to detach from its session.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    public ChatterboxCommand() : base("Works on the state of Chatterbox users: what they chose, their texts, voices and audio.")
    {
        foreach (var option in ConnectionOptions.All) Add(option);
        var help = Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }

    public async Task<int> RunAsync(string[] args)
    {
        // A text may begin with '@'.
        var parsed = Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = Farewell };
        if (parsed.Errors.Count == 0) return await parsed.InvokeAsync(invocation);

        invocation.Output = Console.Error;
        await parsed.InvokeAsync(invocation);
        return ExitCode.WrongRequest;
    }
}
