namespace Chatterbox.Client;

/// <summary>Loading what is stored: of several under way only the last one counts.</summary>
public sealed partial class ChatterboxStore
{
    private bool _hydrating = true;
    private int _hydration;

    /// <summary>Begins to hydrate. Whatever was under way is superseded.</summary>
    internal int BeginHydration()
    {
        lock (_lock)
        {
            _hydrating = true;
            _subscriptions.Publish(Update([], StoreStep.HydrationBegun));
            return ++_hydration;
        }
    }

    /// <summary>Ends it, unless it has been superseded.</summary>
    /// <param name="loaded">The store stands on what is stored; otherwise it goes on with what it had.</param>
    internal void EndHydration(int hydration, bool loaded)
    {
        lock (_lock)
        {
            if (hydration != _hydration) return;
            _hydrating = false;
            if (loaded) _subscriptions.Publish(Update([], StoreStep.Hydrated));
        }
    }

    /// <summary>What is under way would load what is not stored any more.</summary>
    internal void SupersedeHydration()
    {
        lock (_lock)
        {
            if (!_hydrated.Task.IsCompletedSuccessfully) return;
            _hydration++;
            _hydrating = false;
        }
    }

    /// <summary>The session has given its state.</summary>
    private void SetHydrated()
    {
        if (!_hydrated.TrySetResult()) return;
        EndHydration(hydration: 1, loaded: true);
    }

    /// <summary>The state of all slices, whatever this store keeps in sync.</summary>
    internal async Task<(AppState State, long Revision)> WholeStateAsync(CancellationToken cancellationToken)
    {
        lock (_lock) if (_replica.Slices is null) return (_replica.Visible, _replica.Revision);
        var whole = await QueryAsync(grain => grain.GetChangesSinceAsync(epoch: 0, revision: 0, slices: null), cancellationToken);
        return (whole.Snapshot!, whole.Revision);
    }

    /// <summary>Keeps in sync what the user has chosen, where this store follows that. True when it is something else than before.</summary>
    private bool FollowChoice()
    {
        if (!_options.FollowUserChoice || _replica.Epoch == 0) return false;
        var chosen = _replica.Confirmed.Preferences.SyncedSlices?.Append(Slice.Preferences).Distinct().Order().ToValueList();
        if (Equals(chosen, _replica.Slices)) return false;
        _replica.Select(chosen);
        Ask(Need.Attach);
        return true;
    }
}
