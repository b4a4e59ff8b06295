using Chatterbox.Client.Listeners;

namespace Chatterbox.Client;

/// <summary>How things stand with the session: reachable, saving, who is attached.</summary>
public sealed partial class ChatterboxStore
{
    private SaveStatus _save = SaveStatus.Saved;
    private Exception? _unreachable;

    private ValueList<AttachedClient> _presence = [];
    private CrashInfo? _crash;

    /// <summary>Completes with the next step. Made when somebody waits for it.</summary>
    private TaskCompletionSource? _progress;

    private Subscriptions<bool>? _syncChanged;

    /// <summary>Raised with each change of <see cref="StorePersistence.Status"/>. Who is slow hears of the last one only.</summary>
    internal event Action? SyncChanged
    {
        add { if (value is not null) Lazily(ref _syncChanged, () => new(_client.Logger, backlog: 1)).Add(_ => value(), value); }
        remove { if (value is not null) _syncChanged?.Remove(value); }
    }

    /// <summary>How saving goes, own unsent changes included.</summary>
    internal SaveStatus SaveStatus
    {
        get
        {
            lock (_lock)
            {
                if (_save.State is SaveState.Failing) return _save;
                if (_replica.Held is { } held) return _save with { State = SaveState.Failing, Failure = held };
                return _save with { State = _replica.Outbox.Count > 0 || _replica.DurableRevision < _replica.Revision ? SaveState.Saving : SaveState.Saved };
            }
        }
    }

    /// <summary>Why the session cannot be reached at present; null when it can.</summary>
    internal Exception? Unreachable { get { lock (_lock) return _unreachable; } }

    /// <summary>Who is attached to the session, this store included. Known once the session has told.</summary>
    public IReadOnlyList<AttachedClient> Clients { get { lock (_lock) return _presence; } }

    /// <summary>The schema version of the state that the session gives.</summary>
    internal int SchemaVersion { get; private set; }

    /// <summary>Work that was in hand when a client or its silo died.</summary>
    internal CrashInfo? Crash { get { lock (_lock) return _crash; } set { lock (_lock) _crash = value; } }

    private void SetUnreachable(Exception? why)
    {
        bool changed;
        lock (_lock)
        {
            // Another reason counts as well: a call that was not answered may be refused when it is repeated.
            changed = _unreachable?.GetType() != why?.GetType();
            _unreachable = why;
        }
        if (changed) Progress();
    }

    private Task NextProgress() => (_progress ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private void Progress()
    {
        lock (_lock)
        {
            _progress?.TrySetResult();
            _progress = null;
        }
        _syncChanged?.Publish(true);
    }
}
