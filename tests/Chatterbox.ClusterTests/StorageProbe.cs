using System.Collections.Concurrent;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Chatterbox.ClusterTests;

/// <param name="Row">The row's name: a slice, a clip, the history.</param>
public sealed record RowWrite(GrainId Grain, string Row, byte[] Bytes);

/// <summary>What goes wrong with one write.</summary>
public enum Fault
{
    None,
    BeforeCommit,
    AfterCommit,
    StaleEtag,

    /// <summary>Given up on, and committed when the row has been looked at again, if nobody has written it meanwhile.</summary>
    LateCommit,

    Read,
}

/// <summary>Stands before the storage under test: counts, and fails on demand.</summary>
public sealed class StorageProbe
{
    private volatile Func<string, Fault>? _onWrite;
    private volatile Func<string, Fault>? _onClear;
    private volatile Func<string, Fault>? _onRead;
    private volatile Func<GrainId, string, Fault>? _onReadOf;
    private volatile Func<string, Task>? _beforeWrite;
    private volatile Func<GrainId, string, Fault>? _onChange;
    private volatile Func<string, Task>? _afterRead;

    /// <summary>Writes that were committed.</summary>
    public ConcurrentQueue<RowWrite> Writes { get; } = new();

    /// <summary>The rows that are there, and their length.</summary>
    public ConcurrentDictionary<(GrainId Grain, string Row), int> Stored { get; } = new();

    public IEnumerable<RowWrite> WritesOf(string row) => Writes.Where(write => write.Row == row);

    /// <summary>Decides for each write, by its row's name, what goes wrong.</summary>
    public void OnWrite(Func<string, Fault> fault) => _onWrite = fault;

    /// <summary>Decides for each row that is cleared, by its name, what goes wrong.</summary>
    public void OnClear(Func<string, Fault> fault) => _onClear = fault;

    /// <summary>Decides for each row that is written or cleared, by its grain and name, what goes wrong.</summary>
    public void OnChange(Func<GrainId, string, Fault> fault) => _onChange = fault;

    public void OnRead(Func<string, Fault> fault) => _onRead = fault;

    /// <summary>Decides for each row that is read, by its grain and name, what goes wrong.</summary>
    public void OnReadOf(Func<GrainId, string, Fault> fault) => _onReadOf = fault;

    private readonly ConcurrentDictionary<(GrainId Grain, string Row), Func<Task>> _late = new();

    /// <summary>Runs before each write reaches the storage, for example to hold it up.</summary>
    public void BeforeWrite(Func<string, Task> hold) => _beforeWrite = hold;

    /// <summary>Runs after each row has been read, for example to hold up what was read.</summary>
    public void AfterRead(Func<string, Task> hold) => _afterRead = hold;

    public void Heal() => (_onWrite, _onClear, _onRead, _onReadOf, _beforeWrite, _onChange, _afterRead) =
        (null, null, null, null, null, null, null);

    public void Wrap(IServiceCollection services)
    {
        var inner = services.Last(service =>
            service.ServiceType == typeof(IGrainStorage) && Equals(service.ServiceKey, ChatterboxStorage.Name));
        services.Remove(inner);
        services.AddKeyedSingleton<IGrainStorage>(ChatterboxStorage.Name, (provider, key) =>
            new Probed(this, (IGrainStorage)(inner.KeyedImplementationFactory?.Invoke(provider, key)
                ?? ActivatorUtilities.CreateInstance(provider, inner.KeyedImplementationType!))));
    }

    /// <summary>For tests that bring a storage of their own.</summary>
    public IGrainStorage Over(IGrainStorage inner) => new Probed(this, inner);

    private sealed class Probed(StorageProbe probe, IGrainStorage inner) : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
    {
        public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var fault = probe._onRead?.Invoke(stateName) ?? probe._onReadOf?.Invoke(grainId, stateName);
            if (fault is Fault.Read) throw new IOException("put in by the test: the database cannot be read");
            await inner.ReadStateAsync(stateName, grainId, grainState);
            if (probe._afterRead is { } hold) await hold(stateName);
            await CommitLateAsync(grainId, stateName);
        }

        public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (probe._beforeWrite is { } hold) await hold(stateName);
            await CommitLateAsync(grainId, stateName);
            var fault = probe._onWrite?.Invoke(stateName) ?? probe._onChange?.Invoke(grainId, stateName) ?? Fault.None;
            if (fault is Fault.BeforeCommit) throw new IOException("put in by the test: failed before the commit");
            if (fault is Fault.StaleEtag) throw new InconsistentStateException("put in by the test: stale etag");
            if (fault is Fault.LateCommit)
            {
                var late = new GrainState<T>(grainState.State, grainState.ETag) { RecordExists = grainState.RecordExists };
                probe._late[(grainId, stateName)] = () => inner.WriteStateAsync(stateName, grainId, late);
                throw new TimeoutException("put in by the test: no answer yet");
            }
            await inner.WriteStateAsync(stateName, grainId, grainState);
            var bytes = ((StoredFrame)(object)grainState.State!).Bytes;
            probe.Stored[(grainId, stateName)] = bytes.Length;
            probe.Writes.Enqueue(new(grainId, stateName, bytes));
            if (fault is Fault.AfterCommit) throw new TimeoutException("put in by the test: no answer after the commit");
        }

        public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var fault = probe._onClear?.Invoke(stateName) ?? probe._onChange?.Invoke(grainId, stateName) ?? Fault.None;
            if (fault is Fault.BeforeCommit) throw new IOException("put in by the test: failed before the commit");
            if (fault is Fault.StaleEtag) throw new InconsistentStateException("put in by the test: stale etag");
            await inner.ClearStateAsync(stateName, grainId, grainState);
            probe.Stored.TryRemove((grainId, stateName), out _);
            if (fault is Fault.AfterCommit) throw new TimeoutException("put in by the test: no answer after the commit");
        }

        private async Task CommitLateAsync(GrainId grain, string row)
        {
            if (!probe._late.TryRemove((grain, row), out var commit)) return;
            try
            {
                await commit();
            }
            catch (InconsistentStateException)
            {
                // Overtaken.
            }
        }

        public void Participate(ISiloLifecycle observer) =>
            (inner as ILifecycleParticipant<ISiloLifecycle>)?.Participate(observer);
    }
}
