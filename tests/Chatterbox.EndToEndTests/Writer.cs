namespace Chatterbox.EndToEndTests;

/// <summary>
/// A live client that adds chunks, each with an id of its own, and takes some of them away again: done twice, an addition would
/// bring back what was taken away.
/// </summary>
internal sealed class Writer
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly string _name;
    private readonly List<string> _there = [];
    private readonly List<(string Id, bool IsAdded, Task Durable)> _made = [];
    private readonly Task _writing;
    private long _lastBegun;
    private volatile bool _ended;

    public Writer(string name, ChatterboxStore store)
    {
        (_name, Store) = (name, store);
        _writing = Task.Run(WriteAsync);
    }

    public ChatterboxStore Store { get; }

    /// <summary>What its store threw at it, so that it goes on no more.</summary>
    public Exception? Failure => _writing.Exception?.InnerException;

    /// <summary>What has to be in the session, in this order.</summary>
    public IReadOnlyList<string> Expected => _there;

    /// <summary>When the last change was begun that the session has applied.</summary>
    public long LastBegun => Volatile.Read(ref _lastBegun);

    /// <summary>Stops making changes, and waits until all that were made are durable.</summary>
    public async Task EndAsync()
    {
        _ended = true;
        await _writing;
        await Task.WhenAll(_made.Select(change => change.Durable));
    }

    /// <summary>How many of its changes, in order, the session has reported durable.</summary>
    public int Durable { get { lock (_made) return _made.TakeWhile(change => change.Durable.IsCompletedSuccessfully).Count(); } }

    /// <summary>
    /// Whether this is what there is of this writer after some number of its changes, of which the first
    /// <paramref name="durable"/> have to be among them.
    /// </summary>
    public bool IsAfter(int durable, IReadOnlyList<string> own)
    {
        (string Id, bool IsAdded, Task)[] made;
        lock (_made) made = [.. _made];
        var there = new List<string>();
        for (var count = 0; ; count++)
        {
            if (count >= durable && there.SequenceEqual(own)) return true;
            if (count == made.Length) return false;
            if (made[count].IsAdded) there.Add(made[count].Id);
            else there.Remove(made[count].Id);
        }
    }

    public IEnumerable<string> Own(AppState state) => Own(state.Chunks.Select(chunk => chunk.Id));

    public IEnumerable<string> Own(IEnumerable<string> ids) =>
        ids.Where(id => id.StartsWith($"{_name}-", StringComparison.Ordinal));

    private async Task WriteAsync()
    {
        for (var number = 0; !_ended; number++)
        {
            var id = $"{_name}-{number}";
            await DoAsync(id, isAdded: true, Store.UpsertChunkAsync(TestData.Chunk(id)));
            _there.Add(id);
            if (number % 3 == 2)
            {
                await DoAsync(_there[0], isAdded: false, Store.RemoveChunkAsync(_there[0]));
                _there.RemoveAt(0);
            }
            await Task.Delay(Pace, TimeProvider.System);
        }
    }

    private async Task DoAsync(string id, bool isAdded, Task<ChangeReceipt> change)
    {
        var begun = TimeProvider.System.GetTimestamp();
        lock (_made) _made.Add((id, isAdded, DurableAsync()));
        await change;
        Volatile.Write(ref _lastBegun, begun);

        async Task DurableAsync() => await (await change).Durable;
    }
}
