namespace Chatterbox.Grains.Session;

/// <summary>
/// Remembers what became of the last operations that their callers gave a name, so that a caller that got no answer can ask again
/// without having it done twice. For one activation's turns only.
/// </summary>
internal sealed class Operations
{
    public const int Remembered = 32;

    private readonly OrderedDictionary<string, Task> _byName = new(StringComparer.Ordinal);

    /// <summary>
    /// Runs the operation, or returns what became of it when it was asked for before. One that failed is run again.
    /// </summary>
    public Task<T> RunAsync<T>(string? name, Func<Task<T>> run)
    {
        if (name is null) return run();
        if (_byName.TryGetValue(name, out var known) && known is Task<T> { IsFaulted: false, IsCanceled: false } same)
        {
            return same;
        }
        var task = run();
        _byName.Remove(name);
        if (_byName.Count == Remembered) _byName.RemoveAt(0);
        _byName[name] = task;
        return task;
    }

    /// <summary>The names of those that are done, with their replies.</summary>
    public ValueList<DoneOperation> Capture() => _byName.Select(each => (each.Key, Reply: ReplyOf(each.Value)))
        .Where(each => each.Reply is not null).Select(each => new DoneOperation(each.Key, each.Reply!)).ToValueList();

    public void Restore(ValueList<DoneOperation> done)
    {
        foreach (var (name, reply) in done)
        {
            _byName[name] = reply switch
            {
                FlushReply flush => Task.FromResult(flush),
                ImportReport report => Task.FromResult(report),
                RecoveryReport report => Task.FromResult(report),
                _ => Task.FromCanceled(new(canceled: true)),
            };
        }
    }

    private static object? ReplyOf(Task task) => !task.IsCompletedSuccessfully ? null : task switch
    {
        Task<FlushReply> flush => flush.Result,
        Task<ImportReport> report => report.Result,
        Task<RecoveryReport> report => report.Result,
        _ => null,
    };
}

[GenerateSerializer, Immutable, Alias("chatterbox.DoneOperation")]
internal sealed record DoneOperation([property: Id(0)] string Name, [property: Id(1)] object Reply);
