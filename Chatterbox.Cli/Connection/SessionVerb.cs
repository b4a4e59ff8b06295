using System.CommandLine;

namespace Chatterbox.Cli.Connection;

/// <summary>A verb on one user's session. Its first argument is the user.</summary>
internal sealed class SessionVerb : Command
{
    private string? _store;

    private readonly Argument<string> _user = new("USER") { Description = "The user's id." };

    /// <param name="more">Printed below the usual help: notes and examples.</param>
    public SessionVerb(string name, string description, string more) : base(name, description)
    {
        More = more;
        Arguments.Add(_user);
    }

    public string More { get; }

    /// <summary>The store that it works on unless one is named.</summary>
    public SessionVerb On(string store)
    {
        _store = store;
        return this;
    }

    /// <summary>Runs on an open, hydrated store. Every failure becomes an exit code.</summary>
    public SessionVerb Does(Func<SessionRun, Task> work) =>
        Within((parsed, session, deadline) => SessionRun.OpenAsync(parsed, session, deadline, work));

    /// <summary>Runs on an open, hydrated store of the text-to-speech app.</summary>
    public SessionVerb DoesTts(Func<TtsRun, Task> work) =>
        Within((parsed, session, deadline) => TtsRun.OpenAsync(parsed, session, deadline, work));

    /// <summary>Runs on the session itself, without a store. Every failure becomes an exit code.</summary>
    public SessionVerb Calls(Func<SessionCall, Task> work) =>
        Within((parsed, session, deadline) => SessionCall.OpenAsync(parsed, session, deadline, work));

    /// <summary>Runs without a deadline; the action opens the store.</summary>
    public SessionVerb RunsUntilInterrupted(Func<ParseResult, SessionId, CancellationToken, Task> work)
    {
        SetAction((parsed, interrupted) => RunAsync(parsed, () => work(parsed, Session(parsed), interrupted)));
        return this;
    }

    private SessionVerb Within(Func<ParseResult, SessionId, Deadline, Task> work)
    {
        SetAction((parsed, interrupted) => RunAsync(parsed, async () =>
        {
            var session = Session(parsed);
            using var deadline = new Deadline(TimeSpan.FromSeconds(parsed.GetValue(ConnectionOptions.Timeout)), interrupted);
            await work(parsed, session, deadline);
        }));
        return this;
    }

    private SessionId Session(ParseResult parsed)
    {
        var isNamed = parsed.GetResult(ConnectionOptions.Store) is { Implicit: false };
        var store = _store is not null && !isNamed ? _store : parsed.GetRequiredValue(ConnectionOptions.Store);
        var session = new SessionId(parsed.GetRequiredValue(_user), store);
        return session.Validate() is { } wrong ? throw WrongRequestException.For(wrong) : session;
    }

    private static async Task<int> RunAsync(ParseResult parsed, Func<Task> work)
    {
        try
        {
            await work();
            return ExitCode.Done;
        }
        catch (Exception failure)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"chatterbox: {ExitCode.Explain(failure)}");
            return ExitCode.Of(failure);
        }
    }
}
