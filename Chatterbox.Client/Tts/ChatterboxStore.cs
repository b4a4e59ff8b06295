namespace Chatterbox.Client;

/// <summary>A user's text-to-speech session as a client sees it, with a method for each kind of change.</summary>
public sealed class ChatterboxStore : AppStore<AppState>
{
    internal ChatterboxStore(StoreContext context) : base(context) { }

    /// <summary>
    /// Edits the selected engine's parameters: <c>UpdateParametersAsync(p => p with { Temperature = 0.9 })</c>. Only the edited
    /// values are sent, so that edits of two clients merge.
    /// </summary>
    /// <exception cref="ChangeRejectedException">A value is out of the model's range.</exception>
    public Task<ChangeReceipt> UpdateParametersAsync(Func<TtsParameters, TtsParameters> edit)
    {
        var preferences = State.Preferences;
        return UpdateParametersAsync(preferences.Engine, edit(preferences.Parameters).DifferenceFrom(preferences.Parameters));
    }

    public Task<ChangeReceipt> UpdateParametersAsync(TtsEngine engine, TtsParameters patch) =>
        DispatchAsync(new UpdateParameters(engine, patch));

    public Task<ChangeReceipt> SelectEngineAsync(TtsEngine engine) => DispatchAsync(new SelectEngine(engine));

    public Task<ChangeReceipt> SetStreamingAsync(bool useStreaming) => DispatchAsync(new SetStreaming(useStreaming));

    public Task<ChangeReceipt> SelectWorkSessionAsync(string? id) => DispatchAsync(new SelectWorkSession(id));

    public Task<ChangeReceipt> UpsertWorkSessionAsync(WorkSession workSession) =>
        DispatchAsync(new UpsertWorkSession(workSession));

    public Task<ChangeReceipt> RemoveWorkSessionAsync(string id) => DispatchAsync(new RemoveWorkSession(id));

    public Task<ChangeReceipt> UpsertVoiceAsync(SavedVoice voice) => DispatchAsync(new UpsertVoice(voice));

    public Task<ChangeReceipt> RemoveVoiceAsync(string id) => DispatchAsync(new RemoveVoice(id));

    public Task<ChangeReceipt> UpsertChunkAsync(Chunk chunk) => DispatchAsync(new UpsertChunk(chunk));

    public Task<ChangeReceipt> RemoveChunkAsync(string id) => DispatchAsync(new RemoveChunk(id));

    public Task<ChangeReceipt> SetChunkStatusAsync(string id, WorkStatus status) => DispatchAsync(new SetChunkStatus(id, status));

    /// <summary>
    /// Completes a chunk with a clip that <see cref="StoreAudio.UploadAsync(byte[], string, CancellationToken)"/> has stored.
    /// </summary>
    public Task<ChangeReceipt> CompleteChunkAsync(string id, AudioRef audio) => DispatchAsync(new CompleteChunk(id, audio));

    public Task<ChangeReceipt> UpsertBatchItemAsync(BatchItem item) => DispatchAsync(new UpsertBatchItem(item));

    public Task<ChangeReceipt> RemoveBatchItemAsync(string id) => DispatchAsync(new RemoveBatchItem(id));

    public Task<ChangeReceipt> SetBatchItemStatusAsync(string id, WorkStatus status) =>
        DispatchAsync(new SetBatchItemStatus(id, status));

    public Task<ChangeReceipt> SetGeneratingAsync(bool isGenerating, string? currentGeneratingId = null) =>
        DispatchAsync(new SetGenerating(isGenerating, currentGeneratingId));

    public Task<ChangeReceipt> SetSystemStatusAsync(string? status) => DispatchAsync(new SetSystemStatus(status));

    public Task<ChangeReceipt> ReportErrorAsync(TransientError error) => DispatchAsync(new ReportError(error));

    public Task<ChangeReceipt> DismissErrorAsync(string id) => DispatchAsync(new DismissError(id));
}
