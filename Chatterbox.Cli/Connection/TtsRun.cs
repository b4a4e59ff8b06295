using System.CommandLine;
using Chatterbox.Client;

namespace Chatterbox.Cli.Connection;

/// <summary>One run of a verb on an open store of the text-to-speech app.</summary>
internal sealed class TtsRun(ParseResult parsed, ChatterboxStore store, Deadline deadline) : SessionRun(parsed, store, deadline)
{
    public new ChatterboxStore Store => store;

    /// <exception cref="OutOfServiceException">The service cannot be reached in time.</exception>
    public static Task OpenAsync(ParseResult parsed, SessionId session, Deadline deadline, Func<TtsRun, Task> work) =>
        OpenAsync(parsed, session, deadline, connection => Task.FromResult(connection.Client.Open(session)),
            store => work(new(parsed, store, deadline)));
}
