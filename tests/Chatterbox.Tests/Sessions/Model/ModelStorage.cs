using System.Collections.Immutable;
using Chatterbox.Tests.Persistence;
using Orleans.Storage;

namespace Chatterbox.Tests.Sessions.Model;

/// <summary>
/// The rows, and how what is in each came about. Reads and writes wait until the world lets one of them happen.
/// </summary>
internal sealed class ModelStorage
{
    private readonly MemoryStorage _rows = new();
    private readonly Dictionary<string, ImmutableList<Happening>> _stored = [];

    /// <summary>What waits. Each is given whether it is to fail, and whether only after it has been done.</summary>
    public List<Action<(bool Fails, bool Commits)>> Waiting { get; } = [];

    /// <summary>Nothing waits: for the loading of an activation, which nobody can reach before it is over.</summary>
    public bool AtOnce { get; set; }

    public History Stored => TtsApp.Instance.Stored.Aggregate(History.Empty, (history, slice) =>
        history.With(slice, _stored.GetValueOrDefault(slice.Name, [])));

    public IGrainStorage For(ModelActivation activation) => new View(this, activation);

    private Task DoAsync(Func<Task> work)
    {
        if (AtOnce) return work();
        var over = new TaskCompletionSource();
        Waiting.Add(fate =>
        {
            if (!fate.Fails || fate.Commits)
            {
                var done = work();
                if (done.IsFaulted)
                {
                    over.SetException(done.Exception.InnerExceptions);
                    return;
                }
            }
            if (fate.Fails) over.SetException(new IOException("lost"));
            else over.SetResult();
        });
        return over.Task;
    }

    private sealed class View(ModelStorage storage, ModelActivation activation) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => storage.DoAsync(async () =>
        {
            await storage._rows.ReadStateAsync(stateName, grainId, grainState);
            activation.Read[stateName] = storage._stored.GetValueOrDefault(stateName, []);
        });

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            // Of the moment that is being written, and not of when the write comes about.
            var writes = TtsApp.Instance.Stored.FirstOrDefault(slice => slice.Name == stateName) is { } slice
                ? activation.Writing.Slices[slice.Index]
                : [];
            return storage.DoAsync(async () =>
            {
                await storage._rows.WriteStateAsync(stateName, grainId, grainState);
                storage._stored[stateName] = writes;
            });
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            throw new NotSupportedException();
    }
}
