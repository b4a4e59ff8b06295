using System.Runtime.CompilerServices;

namespace Chatterbox.Client;

/// <summary>A store of an app whose state is a <typeparamref name="TState"/>.</summary>
public class AppStore<TState> : AppStore where TState : SessionState
{
    /// <param name="context">From <see cref="ChatterboxClient"/>.</param>
    internal AppStore(StoreContext context) : base(context) { }

    /// <inheritdoc cref="AppStore.State"/>
    public new TState State => (TState)base.State;

    /// <inheritdoc cref="AppStore.Persistence"/>
    public new StorePersistence<TState> Persistence => (StorePersistence<TState>)base.Persistence;

    private protected sealed override StorePersistence MakePersistence() => new StorePersistence<TState>(this);

    /// <summary>
    /// Listens to a part of the state: called with the new and the previous value whenever it changes, on a thread of its own.
    /// </summary>
    /// <param name="comparer">What counts as the same; by default equality.</param>
    public IDisposable Subscribe<T>(Func<TState, T> selector, Action<T, T> listener, IEqualityComparer<T>? comparer = null)
    {
        comparer ??= EqualityComparer<T>.Default;
        return Add(state => selector((TState)state), shown => update =>
        {
            var (value, previous) = (selector((TState)update.State), shown);
            if (comparer.Equals(value, previous)) return;
            shown = value;
            listener(value, previous);
        });
    }

    /// <summary>A part of the state as a sequence: its value now, then each new one. Ends when the store is closed.</summary>
    /// <param name="comparer">What counts as the same; by default equality.</param>
    public async IAsyncEnumerable<T> Watch<T>(
        Func<TState, T> selector, IEqualityComparer<T>? comparer = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        comparer ??= EqualityComparer<T>.Default;
        var first = true;
        var shown = default(T);
        await foreach (var update in base.WatchUpdates(cancellationToken))
        {
            var value = selector((TState)update.State);
            if (!first && comparer.Equals(value, shown)) continue;
            (first, shown) = (false, value);
            yield return value;
        }
    }

    /// <inheritdoc cref="Watch{T}(Func{TState, T}, IEqualityComparer{T}?, CancellationToken)"/>
    public IAsyncEnumerable<T> Watch<T>(Func<TState, T> selector, CancellationToken cancellationToken) =>
        Watch(selector, null, cancellationToken);

    /// <inheritdoc cref="AppStore.WatchUpdates"/>
    public new async IAsyncEnumerable<StoreUpdate<TState>> WatchUpdates(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var update in base.WatchUpdates(cancellationToken)) yield return (StoreUpdate<TState>)update;
    }

    /// <summary>A part of the state, to read, listen to or watch.</summary>
    /// <param name="comparer">What counts as the same; by default equality.</param>
    public StoreSelection<T> Select<T>(Func<TState, T> selector, IEqualityComparer<T>? comparer = null) => new(
        () => selector(State), listener => Subscribe(selector, listener, comparer),
        cancellationToken => Watch(selector, comparer, cancellationToken));

    private protected sealed override StoreUpdate Update(
        SessionState state, long revision, IReadOnlyList<AppliedChange> changes, SessionState confirmed, StoreStep step) =>
        new StoreUpdate<TState>((TState)state, revision, changes, (TState)confirmed) { Step = step };
}
