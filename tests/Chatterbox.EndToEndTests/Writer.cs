using Chatterbox.Client;

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
    private readonly List<Task> _durable = [];
    private readonly Task _writing;
    private long _lastBegun;
    private volatile bool _ended;

    public Writer(string name, ChatterboxStore store)
    {
        (_name, Store) = (name, store);
        _writing = Task.Run(WriteAsync);
    }

    public ChatterboxStore Store { get; }

    /// <summary>What has to be in the session, in this order.</summary>
    public IReadOnlyList<string> Expected => _there;

    /// <summary>When the last change was begun that the session has applied.</summary>
    public long LastBegun => Volatile.Read(ref _lastBegun);

    /// <summary>Stops making changes, and waits until all that were made are durable.</summary>
    public async Task EndAsync()
    {
        _ended = true;
        await _writing;
        await Task.WhenAll(_durable);
    }

    public IEnumerable<string> Own(AppState state) =>
        state.Chunks.Select(chunk => chunk.Id).Where(id => id.StartsWith($"{_name}-", StringComparison.Ordinal));

    private async Task WriteAsync()
    {
        for (var number = 0; !_ended; number++)
        {
            var id = $"{_name}-{number}";
            await DoAsync(() => Store.UpsertChunkAsync(TestData.Chunk(id)));
            _there.Add(id);
            if (number % 3 == 2)
            {
                await DoAsync(() => Store.RemoveChunkAsync(_there[0]));
                _there.RemoveAt(0);
            }
            await Task.Delay(Pace, TimeProvider.System);
        }
    }

    private async Task DoAsync(Func<Task<ChangeReceipt>> change)
    {
        var begun = TimeProvider.System.GetTimestamp();
        _durable.Add((await change()).Durable);
        Volatile.Write(ref _lastBegun, begun);
    }
}
