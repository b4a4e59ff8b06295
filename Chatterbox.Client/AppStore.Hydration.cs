namespace Chatterbox.Client;

/// <summary>Hydration: a newer one supersedes those in progress.</summary>
public partial class AppStore
{
    private bool _hydrating = true;
    private int _hydration;

    /// <summary>Starts a hydration. It supersedes any in progress.</summary>
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
    /// <param name="loaded">Whether the stored state was loaded; otherwise the store keeps its current state.</param>
    internal void EndHydration(int hydration, bool loaded)
    {
        lock (_lock)
        {
            if (hydration != _hydration) return;
            _hydrating = false;
            if (loaded) _subscriptions.Publish(Update([], StoreStep.Hydrated));
        }
    }

    /// <summary>Cancels hydrations in progress: they would load a state that is no longer stored.</summary>
    internal void SupersedeHydration()
    {
        lock (_lock)
        {
            if (!_hydrated.Task.IsCompletedSuccessfully) return;
            _hydration++;
            _hydrating = false;
        }
    }

    /// <summary>The session has sent its state.</summary>
    private void SetHydrated()
    {
        if (!_hydrated.TrySetResult()) return;
        EndHydration(hydration: 1, loaded: true);
    }

    /// <summary>The state of all slices, including those this store does not keep in sync.</summary>
    internal async Task<(SessionState State, long Revision)> WholeStateAsync(CancellationToken cancellationToken)
    {
        lock (_lock) if (_replica.Slices is null) return (_replica.Visible, _replica.Revision);
        var whole = await QueryAsync(grain => grain.GetChangesSinceAsync(epoch: 0, revision: 0, slices: null), cancellationToken);
        return (whole.Snapshot!, whole.Revision);
    }

    /// <summary>
    /// Applies the user's choice of slices if this store follows it. True when the selection has changed.
    /// </summary>
    private bool FollowChoice()
    {
        if (!_options.FollowUserChoice || _replica.Epoch == 0) return false;
        var chosen = App.ChosenSlices(_replica.Confirmed)?.Append(App.ChoiceSlice!.Name).Distinct()
            .Order(StringComparer.Ordinal).ToValueList();
        if (Equals(chosen, _replica.Slices)) return false;
        _replica.Select(chosen);
        Ask(Need.Attach);
        return true;
    }
}
