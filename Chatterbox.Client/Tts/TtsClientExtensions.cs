namespace Chatterbox.Client;

/// <summary>Opens stores of the text-to-speech app.</summary>
public static class TtsClientExtensions
{
    /// <summary>
    /// Opens a store without waiting: <see cref="AppStore.HasHydrated"/> turns true once the session has answered.
    /// </summary>
    /// <exception cref="ArgumentException">The user or store name, or an option, is not allowed.</exception>
    /// <exception cref="OutboxUnavailableException">The folder of the outbox on disk cannot be used.</exception>
    public static ChatterboxStore Open(this ChatterboxClient client, SessionId session, StoreOptions? options = null) =>
        client.Open(session, TtsApp.Instance, options, context => new ChatterboxStore(context));

    /// <summary>Opens a store and waits until it shows the session's state.</summary>
    /// <exception cref="SessionRefusedException">The session does not serve this client.</exception>
    /// <exception cref="OutboxUnavailableException">The folder of the outbox on disk cannot be used.</exception>
    public static Task<ChatterboxStore> OpenAsync(
        this ChatterboxClient client, SessionId session, CancellationToken cancellationToken = default) =>
        client.OpenAsync(session, StoreOptions.Default, cancellationToken);

    /// <inheritdoc cref="OpenAsync(ChatterboxClient, SessionId, CancellationToken)"/>
    public static Task<ChatterboxStore> OpenAsync(
        this ChatterboxClient client, SessionId session, StoreOptions options, CancellationToken cancellationToken = default) =>
        client.OpenAsync(session, TtsApp.Instance, options, context => new ChatterboxStore(context), cancellationToken);
}
