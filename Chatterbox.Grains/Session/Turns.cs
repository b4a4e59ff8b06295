namespace Chatterbox.Grains.Session;

/// <summary>Lets what may not interleave in a reentrant grain run one after another. For one activation's turns only.</summary>
internal sealed class Turns
{
    private Task _last = Task.CompletedTask;

    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        var before = _last;
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _last = over.Task;
        await before;
        try
        {
            return await work();
        }
        finally
        {
            over.SetResult();
        }
    }

    public Task RunAsync(Func<Task> work) => RunAsync(async () =>
    {
        await work();
        return true;
    });
}
