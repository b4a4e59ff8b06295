using System.CommandLine;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.State;

internal static class WatchCommand
{
    public static Command Create()
    {
        var path = new Argument<string?>("PATH") { Description = "Where in the state.", Arity = ArgumentArity.ZeroOrOne };
        return new SessionVerb("watch", "Prints the state, or the value at a path, and then every change as it arrives.",
            $$$$"""
            Output:
              One JSON object a line, written at once. Without PATH the state, then the changes:
                {"revision":7,"state":{...}}
                {"revision":8,"client":"3f...","change":{"type":"updateParameters","engine":"turbo","patch":{"temperature":0.9}}}
              With PATH the value, then a line whenever it is another; null when its item is gone:
                {"revision":7,"path":"preferences.parameters.temperature","value":0.8}
              After a break, or when the session was cleared or imported, another line with the state, if it is another.
              It waits for a silo that is not there, and says so on standard error. Ctrl-C ends it.

            {{{{GetCommand.Paths}}}}

            Examples:
              chatterbox watch alice
              chatterbox watch alice preferences.parameters.temperature
              chatterbox watch alice chunks.chunk-1.status
            """)
        {
            path, JsonOption.CreateForJsonOnly(),
        }.RunsUntilInterrupted(async (parsed, session, interrupted) =>
        {
            try
            {
                await WatchAsync(parsed, session, parsed.GetValue(path) is { } place ? new StatePath(place) : null, interrupted);
            }
            catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
            {
                // The usual end of a watch.
            }
        });
    }

    private static async Task WatchAsync(ParseResult parsed, SessionId session, StatePath? path, CancellationToken interrupted)
    {
        var notes = new ConnectionNotes(parsed.InvocationConfiguration.Error);
        await using var connection = await ClusterConnection.OpenAsync(parsed, () => notes.Lost("no silo answers"), interrupted);
        await using var store = await connection.OpenAsync(session, interrupted);
        store.Persistence.StatusChanged += () => notes.Report(store.Persistence.Unreachable);
        await store.Hydrated.WaitAsync(interrupted);
        notes.Report(null);

        var lines = path is null ? new ChangeLines() : (IWatchLines)new ValueLines(path);
        try
        {
            await foreach (var update in store.WatchUpdates(interrupted))
            {
                foreach (var line in lines.Of(update)) Console.Out.WriteLine(line);
                Console.Out.Flush();
            }
        }
        catch (IOException)
        {
            // The reader of the pipe has closed it.
        }
    }
}
