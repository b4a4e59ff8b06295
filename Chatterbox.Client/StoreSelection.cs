namespace Chatterbox.Client;

/// <summary>A part of a store's state, to read, listen to or watch: <see cref="AppStore{TState}.Select"/>.</summary>
public sealed class StoreSelection<T>
{
    private readonly Func<T> _value;
    private readonly Func<Action<T, T>, IDisposable> _subscribe;
    private readonly Func<CancellationToken, IAsyncEnumerable<T>> _watch;

    internal StoreSelection(
        Func<T> value, Func<Action<T, T>, IDisposable> subscribe, Func<CancellationToken, IAsyncEnumerable<T>> watch) =>
        (_value, _subscribe, _watch) = (value, subscribe, watch);

    /// <summary>Its current value.</summary>
    public T Value => _value();

    /// <summary>Calls the listener with the new and the previous value after each change, on a listener thread.</summary>
    public IDisposable Subscribe(Action<T, T> listener) => _subscribe(listener);

    /// <summary>Its value now, then each new one. Ends when the store is closed.</summary>
    public IAsyncEnumerable<T> Watch(CancellationToken cancellationToken = default) => _watch(cancellationToken);
}
