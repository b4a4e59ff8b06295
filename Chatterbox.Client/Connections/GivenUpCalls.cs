namespace Chatterbox.Client.Connections;

/// <summary>
/// Limits the wait for a call to a timeout. A later failure of the call is observed and ignored.
/// </summary>
internal static class GivenUpCalls
{
    /// <exception cref="TimeoutException">The call was given up; it may still be executed.</exception>
    public static Task WithinAsync(this Task call, TimeSpan timeout, TimeProvider clock,
        CancellationToken cancellationToken = default)
    {
        Observe(call);
        return call.WaitAsync(timeout, clock, cancellationToken);
    }

    /// <inheritdoc cref="WithinAsync(Task, TimeSpan, TimeProvider, CancellationToken)"/>
    public static Task<T> WithinAsync<T>(this Task<T> call, TimeSpan timeout, TimeProvider clock,
        CancellationToken cancellationToken = default)
    {
        Observe(call);
        return call.WaitAsync(timeout, clock, cancellationToken);
    }

    /// <exception cref="OperationCanceledException">The call was given up; it may still be executed.</exception>
    public static Task UntilAsync(this Task call, CancellationToken cancellationToken)
    {
        Observe(call);
        return call.WaitAsync(cancellationToken);
    }

    /// <inheritdoc cref="UntilAsync(Task, CancellationToken)"/>
    public static Task<T> UntilAsync<T>(this Task<T> call, CancellationToken cancellationToken)
    {
        Observe(call);
        return call.WaitAsync(cancellationToken);
    }

    private static void Observe(Task call)
    {
        if (call.IsCompletedSuccessfully) return;
        _ = call.ContinueWith(static done => _ = done.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
