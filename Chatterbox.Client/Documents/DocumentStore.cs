using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Chatterbox.Client;

/// <summary>A document as a client sees it: JSON values by key, typed by source-generated JSON.</summary>
public sealed class DocumentStore : AppStore<DocumentState>
{
    private readonly JsonSerializerContext? _types;

    internal DocumentStore(StoreContext context, JsonSerializerContext? types) : base(context) => _types = types;

    /// <summary>The value of a key; null, or the type's default, when the document does not have it or it is null.</summary>
    /// <exception cref="JsonException">The value is no <typeparamref name="T"/>.</exception>
    /// <exception cref="NotSupportedException">The store was opened without JSON for <typeparamref name="T"/>.</exception>
    public T? Get<T>(string key) => Get(State, key, TypeOf<T>());

    /// <inheritdoc cref="Get{T}(string)"/>
    public T? Get<T>(string key, JsonTypeInfo<T> type) => Get(State, key, type);

    /// <summary>Sets a key, whatever it was before.</summary>
    /// <exception cref="ArgumentException">The value has no JSON that a document may hold.</exception>
    /// <exception cref="ChangeRejectedException">A limit was reached, or the key is not allowed.</exception>
    public Task<ChangeReceipt> SetAsync<T>(string key, T value) => SetAsync(key, value, TypeOf<T>());

    /// <inheritdoc cref="SetAsync{T}(string, T)"/>
    public Task<ChangeReceipt> SetAsync<T>(string key, T value, JsonTypeInfo<T> type) =>
        SetAsync(key, DocumentValue.Of(value, type));

    /// <inheritdoc cref="SetAsync{T}(string, T)"/>
    public Task<ChangeReceipt> SetAsync(string key, DocumentValue value) => DispatchAsync(new SetKey(key, value));

    /// <summary>
    /// Merges a patch into a key's value, as RFC 7396 has it, so that it does not undo what others change beside it: members that
    /// are null remove, members that are missing stay.
    /// </summary>
    /// <inheritdoc cref="SetAsync{T}(string, T)"/>
    public Task<ChangeReceipt> PatchAsync<T>(string key, T patch) => PatchAsync(key, patch, TypeOf<T>());

    /// <inheritdoc cref="PatchAsync{T}(string, T)"/>
    public Task<ChangeReceipt> PatchAsync<T>(string key, T patch, JsonTypeInfo<T> type) =>
        PatchAsync(key, DocumentValue.Of(patch, type));

    /// <inheritdoc cref="PatchAsync{T}(string, T)"/>
    public Task<ChangeReceipt> PatchAsync(string key, DocumentValue patch) => DispatchAsync(new MergePatchKey(key, patch));

    /// <summary>Removes a key; does nothing when the document does not have it.</summary>
    public Task<ChangeReceipt> RemoveAsync(string key) => DispatchAsync(new RemoveKey(key));

    /// <summary>Calls the listener with a key's new and previous value whenever it changes, on a listener thread.</summary>
    public IDisposable Subscribe<T>(string key, Action<T?, T?> listener)
    {
        var type = TypeOf<T>();
        return Subscribe(state => state.Find(key), (value, previous) => listener(Read(value, type), Read(previous, type)));
    }

    private JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>?)_types?.GetTypeInfo(typeof(T))
        ?? throw new NotSupportedException($"The document was opened without JSON for {typeof(T)}.");

    private static T? Get<T>(DocumentState state, string key, JsonTypeInfo<T> type) => Read(state.Find(key), type);

    private static T? Read<T>(DocumentValue? value, JsonTypeInfo<T> type) => value is null ? default : value.Deserialize(type);
}

/// <summary>Opens documents.</summary>
public static class DocumentClientExtensions
{
    /// <summary>
    /// Opens a document without waiting: <see cref="AppStore.HasHydrated"/> turns true once the session has answered.
    /// </summary>
    /// <param name="session">Of a store of the app <c>document</c>.</param>
    /// <param name="types">The JSON of the types that values are read and written as: a source-generated context.</param>
    /// <exception cref="ArgumentException">The user or store name, or an option, is not allowed.</exception>
    public static DocumentStore OpenDocument(
        this ChatterboxClient client, SessionId session, JsonSerializerContext? types = null,
        StoreOptions? options = null) =>
        client.Open(session, DocumentApp.Instance, options, context => new DocumentStore(context, types));

    /// <summary>Opens a document and waits until it shows what is stored.</summary>
    /// <inheritdoc cref="OpenDocument"/>
    /// <exception cref="SessionRefusedException">The session does not serve this client, or holds no document.</exception>
    public static Task<DocumentStore> OpenDocumentAsync(
        this ChatterboxClient client, SessionId session, JsonSerializerContext? types = null,
        StoreOptions? options = null, CancellationToken cancellationToken = default) =>
        client.OpenAsync(
            session, DocumentApp.Instance, options, context => new DocumentStore(context, types), cancellationToken);
}
