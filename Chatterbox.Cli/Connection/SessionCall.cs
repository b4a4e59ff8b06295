using System.CommandLine;
using Orleans.Runtime.Messaging;

namespace Chatterbox.Cli.Connection;

/// <summary>
/// One run of a verb that calls the session and opens no store: it attaches no client, has no subscription and loads no state
/// here, so it also works for a session too large to be sent.
/// </summary>
internal sealed class SessionCall(ParseResult parsed, SessionId session, IUserSessionGrain grain, Deadline deadline)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    public ParseResult Parsed => parsed;

    public SessionId Session => session;

    public Deadline Deadline => deadline;

    public TextWriter Output => parsed.InvocationConfiguration.Output;

    public TextWriter Error => parsed.InvocationConfiguration.Error;

    /// <exception cref="OutOfServiceException">The service cannot be reached in time.</exception>
    public static async Task OpenAsync(ParseResult parsed, SessionId session, Deadline deadline, Func<SessionCall, Task> work)
    {
        try
        {
            await using var connection = await ClusterConnection.OpenAsync(parsed, waiting: null, deadline.Token);
            await work(new(parsed, session, connection.Grains.GetGrain<IUserSessionGrain>(session.Key), deadline));
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw new OutOfServiceException($"no answer within {parsed.GetValue(ConnectionOptions.Timeout)} s (--timeout)");
        }
    }

    /// <summary>A call that may be made twice: it is repeated until the session answers.</summary>
    /// <exception cref="OutOfServiceException">The session has not answered in time.</exception>
    public Task<T> ReadAsync<T>(Func<IUserSessionGrain, Task<T>> call) =>
        CallAsync(call, CanReadAgain);

    /// <summary>A call that writes: it is repeated only when no silo executed it. Returns once everything is stored.</summary>
    /// <exception cref="OutOfServiceException">Storage is failing, or no silo takes the call in time.</exception>
    public async Task SaveAsync(Func<IUserSessionGrain, Task<FlushReply>> call)
    {
        var reply = await CallAsync(call, failure => failure is ConnectionFailedException
            || failure is OrleansMessageRejectionException and not SiloUnavailableException);
        if (reply.Failure is { } failing) throw SessionRun.NotStored(failing);
    }

    private async Task<T> CallAsync<T>(Func<IUserSessionGrain, Task<T>> call, Func<Exception, bool> canRepeat)
    {
        Exception? last = null;
        try
        {
            return await RepeatAsync(() => call(grain), failure => canRepeat(failure) && (last = failure) is not null,
                deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed && last is not null)
        {
            throw new OutOfServiceException(
                $"no answer within {parsed.GetValue(ConnectionOptions.Timeout)} s (--timeout): {last.Message}");
        }
    }

    /// <summary>Repeats a call until it is answered or may not be repeated.</summary>
    public static async Task<T> RepeatAsync<T>(Func<Task<T>> call, Func<Exception, bool> canRepeat,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await call().WaitAsync(cancellationToken);
            }
            catch (Exception failure) when (canRepeat(failure))
            {
                await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken);
            }
        }
    }

    public static bool CanReadAgain(Exception failure) => failure is not (SessionUnknownException or OperationCanceledException);
}
