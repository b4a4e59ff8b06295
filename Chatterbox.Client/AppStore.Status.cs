using Chatterbox.Client.Listeners;

namespace Chatterbox.Client;

/// <summary>The session's status: reachable, saving, attached clients.</summary>
public partial class AppStore
{
    private SaveStatus _save = SaveStatus.Saved;
    private Exception? _unreachable;

    private ValueList<AttachedClient> _presence = [];
    private CrashInfo? _crash;

    /// <summary>Completes with the next step. Created by the first waiter.</summary>
    private TaskCompletionSource? _progress;

    private Subscriptions<bool>? _syncChanged;

    /// <summary>
    /// Raised with each change of <see cref="StorePersistence.Status"/>. A slow handler receives only the latest status.
    /// </summary>
    internal event Action? SyncChanged
    {
        add { if (value is not null) Lazily(ref _syncChanged, () => new(_client.Logger, backlog: 1)).Add(_ => value(), value); }
        remove { if (value is not null) _syncChanged?.Remove(value); }
    }

    /// <summary>The save status, including own unsent changes.</summary>
    internal SaveStatus SaveStatus
    {
        get
        {
            lock (_lock)
            {
                if (_save.State is SaveState.Failing) return _save;
                if (_replica.Held is { } held) return _save with { State = SaveState.Failing, Failure = held };
                var isSaving = _replica.Outbox.Count > 0 || _replica.DurableRevision < _replica.Revision;
                return _save with { State = isSaving ? SaveState.Saving : SaveState.Saved };
            }
        }
    }

    /// <summary>Why the session cannot be reached at present; null when it can.</summary>
    internal Exception? Unreachable { get { lock (_lock) return _unreachable; } }

    /// <summary>The clients attached to the session, this store included. Known once the session has answered.</summary>
    public IReadOnlyList<AttachedClient> Clients { get { lock (_lock) return _presence; } }

    /// <summary>The schema version of the session's state.</summary>
    internal int SchemaVersion { get; private set; }

    /// <summary>Work in progress when a client or its silo crashed.</summary>
    internal CrashInfo? Crash { get { lock (_lock) return _crash; } set { lock (_lock) _crash = value; } }

    private void SetUnreachable(Exception? why)
    {
        bool changed;
        lock (_lock)
        {
            // A different reason is also a change: an unanswered call may be refused when it is repeated.
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
