using System.CommandLine;
using Chatterbox.Cli.Files;
using Chatterbox.Client;

namespace Chatterbox.Cli.Connection;

/// <summary>One run of a verb on an open store.</summary>
internal class SessionRun(ParseResult parsed, AppStore store, Deadline deadline)
{
    public ParseResult Parsed => parsed;

    public AppStore Store => store;

    public Deadline Deadline => deadline;

    public CancellationToken Token => deadline.Token;

    public TextWriter Output => parsed.InvocationConfiguration.Output;

    public TextWriter Error => parsed.InvocationConfiguration.Error;

    /// <summary>Opens a store of any app: its name is asked of the session.</summary>
    /// <exception cref="OutOfServiceException">The service cannot be reached in time.</exception>
    public static Task OpenAsync(ParseResult parsed, SessionId session, Deadline deadline, Func<SessionRun, Task> work) =>
        OpenAsync(parsed, session, deadline, connection => connection.OpenAsync(session, deadline.Token),
            store => work(new(parsed, store, deadline)));

    /// <inheritdoc cref="OpenAsync(ParseResult, SessionId, Deadline, Func{SessionRun, Task})"/>
    protected static async Task OpenAsync<TStore>(
        ParseResult parsed, SessionId session, Deadline deadline, Func<ClusterConnection, Task<TStore>> open,
        Func<TStore, Task> work)
        where TStore : AppStore
    {
        TStore? store = null;
        try
        {
            await using var connection = await ClusterConnection.OpenAsync(parsed, waiting: null, deadline.Token);
            store = await open(connection);
            await store.Hydrated.WaitAsync(deadline.Token);
            await work(store);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            var limit = $"within {parsed.GetValue(ConnectionOptions.Timeout)} s (--timeout)";
            throw new OutOfServiceException(store is { HasHydrated: true }
                ? $"not finished {limit}; the request may still be executed"
                : $"no answer {limit}{(store?.Persistence.Unreachable is { } last ? $": {last.Message}" : "")}");
        }
    }

    /// <summary>Opens a file as <see cref="InputFile"/> does. Reading from a pipe does not count against the deadline.</summary>
    public async Task<Stream> ReadAsync(string path)
    {
        deadline.Suspend();
        var file = await InputFile.OpenAsync(path, Token);
        deadline.Extend();
        return file;
    }

    /// <summary>Applies all of the changes or none, and returns once they are stored.</summary>
    public async Task ChangeAsync(params SessionChange[] changes)
    {
        await store.DispatchAsync(changes).WaitAsync(Token);
        await SavedAsync(store.Persistence.FlushAsync(Token));
    }

    /// <summary>Waits for an operation that completes when everything is stored.</summary>
    public static async Task SavedAsync(Task saving)
    {
        try
        {
            await saving;
        }
        catch (IOException failing)
        {
            throw NotStored(failing.Message);
        }
    }

    public static OutOfServiceException NotStored(string failing) =>
        new($"done, but not stored yet; the silo keeps trying: {failing}");
}
