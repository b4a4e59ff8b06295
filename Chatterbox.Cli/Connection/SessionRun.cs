using System.CommandLine;
using Chatterbox.Cli.Files;
using Chatterbox.Client;

namespace Chatterbox.Cli.Connection;

/// <summary>One run of a verb on an open store.</summary>
internal sealed class SessionRun(ParseResult parsed, ChatterboxStore store, Deadline deadline)
{
    public ParseResult Parsed => parsed;

    public ChatterboxStore Store => store;

    public Deadline Deadline => deadline;

    public CancellationToken Token => deadline.Token;

    public TextWriter Output => parsed.InvocationConfiguration.Output;

    public TextWriter Error => parsed.InvocationConfiguration.Error;

    /// <exception cref="OutOfServiceException">The service cannot be reached in time.</exception>
    public static async Task OpenAsync(ParseResult parsed, SessionId session, Deadline deadline, Func<SessionRun, Task> work)
    {
        ChatterboxStore? store = null;
        try
        {
            await using var connection = await ClusterConnection.OpenAsync(parsed, waiting: null, deadline.Token);
            store = connection.Client.Open(session);
            await store.Hydrated.WaitAsync(deadline.Token);
            await work(new(parsed, store, deadline));
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            var limit = $"within {parsed.GetValue(ConnectionOptions.Timeout)} s (--timeout)";
            throw new OutOfServiceException(store is { HasHydrated: true }
                ? $"not finished {limit}; what was asked for may be done all the same"
                : $"no answer {limit}{(store?.Persistence.Unreachable is { } last ? $": {last.Message}" : "")}");
        }
    }

    /// <summary>A file as <see cref="InputFile"/> has it. Whoever feeds a pipe may take their time.</summary>
    public async Task<Stream> ReadAsync(string path)
    {
        deadline.Suspend();
        var file = await InputFile.OpenAsync(path, Token);
        deadline.Extend();
        return file;
    }

    /// <summary>Makes changes, all of which have to be allowed, and returns once they are stored.</summary>
    public async Task ChangeAsync(params AppStateChange[] changes)
    {
        await store.DispatchAsync(changes).WaitAsync(Token);
        await SavedAsync(store.Persistence.FlushAsync(Token));
    }

    /// <summary>Waits for an operation that ends when everything is stored.</summary>
    public static async Task SavedAsync(Task saving)
    {
        try
        {
            await saving;
        }
        catch (IOException failing)
        {
            throw new OutOfServiceException($"done, but not stored yet; the silo goes on trying: {failing.Message}");
        }
    }
}
