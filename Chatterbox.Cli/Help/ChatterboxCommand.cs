using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Help;

/// <summary>The root: what every verb shares, help with examples, and exit codes.</summary>
internal sealed class ChatterboxCommand : RootCommand
{
    /// <summary>The time for an interrupted verb to detach from its session.</summary>
    private static readonly TimeSpan DetachTimeout = TimeSpan.FromSeconds(5);

    public ChatterboxCommand() : base("Works on the state of Chatterbox users: preferences, texts, voices and audio.")
    {
        foreach (var option in ConnectionOptions.All) Add(option);
        var help = Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }

    public async Task<int> RunAsync(string[] args)
    {
        // Programs that read the output do not know this process's locale.
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        // No response files: a text may start with '@'.
        var parsed = Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var error = new EscapingWriter(Console.Error);
        var invocation = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = DetachTimeout,
                Output = new EscapingWriter(Console.Out), Error = error,
        };
        if (parsed.Errors.Count == 0) return await parsed.InvokeAsync(invocation);

        invocation.Output = error;
        await parsed.InvokeAsync(invocation);
        return ExitCode.WrongRequest;
    }
}
