namespace Chatterbox.Client;

/// <summary>Several changes at once.</summary>
public sealed partial class ChatterboxStore
{
    /// <summary>Makes changes that belong together: each is checked on top of those before it, and when one is not allowed none is made.</summary>
    /// <exception cref="ChangeRejectedException">A change is not allowed.</exception>
    public async Task<IReadOnlyList<ChangeReceipt>> DispatchAsync(IReadOnlyList<AppStateChange> changes)
    {
        OutboxEntry[] entries;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            // Before hydration only the session can tell.
            if (HasHydrated) EnsureAllowed(changes);
            entries = [.. changes.Select(_replica.Enqueue)];
            if (entries.Length > 0) _subscriptions.Publish(Update([]));
        }
        Pump();
        return await Task.WhenAll(entries.Select(ReceiptAsync));
    }

    private void EnsureAllowed(IReadOnlyList<AppStateChange> changes)
    {
        var state = _replica.Visible;
        foreach (var change in changes)
        {
            (state, var wrong) = AppStateReducer.Apply(state, change);
            if (wrong is not null) throw new ChangeRejectedException(change, wrong);
        }
    }
}
