using System.CommandLine;

namespace Chatterbox.Cli.Connection;

/// <summary>A verb on all sessions, for operators.</summary>
internal sealed class ClusterVerb : Command
{
    /// <param name="more">Printed below the usual help: notes and examples.</param>
    public ClusterVerb(string name, string description, string more) : base(name, description) => More = more;

    public string More { get; }

    /// <summary>The verb's action while connected. Returns the exit code; exceptions map to their own codes.</summary>
    public ClusterVerb Does(Func<ParseResult, ClusterConnection, Deadline, Task<int>> work)
    {
        SetAction(async (parsed, interrupted) =>
        {
            using var deadline = new Deadline(TimeSpan.FromSeconds(parsed.GetValue(ConnectionOptions.Timeout)), interrupted);
            try
            {
                await using var connection = await ClusterConnection.OpenAsync(parsed, waiting: null, deadline.Token);
                return await work(parsed, connection, deadline);
            }
            catch (Exception failure)
            {
                if (failure is OperationCanceledException && deadline.Passed)
                {
                    failure = new OutOfServiceException(
                        $"no answer within {parsed.GetValue(ConnectionOptions.Timeout)} s (--timeout)");
                }
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"chatterbox: {ExitCode.Explain(failure)}");
                return ExitCode.Of(failure);
            }
        });
        return this;
    }
}
