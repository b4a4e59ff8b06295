using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Tts.Import;

namespace Chatterbox.Grains.Tts;

/// <summary>The text-to-speech app in a silo.</summary>
public sealed class TtsSiloApp : SiloApp
{
    private TtsSiloApp() : base(TtsApp.Instance) { }

    public static TtsSiloApp Instance { get; } = new();

    public override IEnumerable<ISliceMigration> Migrations { get; } = [new DefaultEngineAndParameters()];

    protected internal override IEnumerable<SessionChange> RemoveUnstored(SessionState state, SessionState stored) =>
        OldWorkSessions.Removals((AppState)state, (AppState)stored);

    // Whether a generation runs is known only from its client: a state that was loaded does not say.
    protected internal override IEnumerable<string>? Unfinished(SessionState state, string kind) => kind switch
    {
        TtsSlice.Chunks => ((AppState)state).Chunks.Where(chunk => chunk.Status.IsUnfinished()).Select(chunk => chunk.Id),
        TtsSlice.BatchItems => ((AppState)state).BatchItems.Where(item => item.Status.IsUnfinished()).Select(item => item.Id),
        _ => null,
    };

    protected internal override SessionChange? Interrupt(string kind, string id) => kind switch
    {
        TtsSlice.Chunks => new SetChunkStatus(id, WorkStatus.Interrupted),
        TtsSlice.BatchItems => new SetBatchItemStatus(id, WorkStatus.Interrupted),
        _ => new SetGenerating(IsGenerating: false, CurrentGeneratingId: null),
    };

    protected internal override SessionChange? Discard(string kind, string id) => kind switch
    {
        TtsSlice.Chunks => new RemoveChunk(id),
        TtsSlice.BatchItems => new RemoveBatchItem(id),
        _ => new SetGenerating(IsGenerating: false, CurrentGeneratingId: null),
    };

    internal override CrashInfo Describe(ValueList<WorkItems> interrupted)
    {
        ValueList<string> Of(string kind) => interrupted.FirstOrDefault(work => work.Kind == kind)?.Ids ?? [];
        return new(Of(TtsSlice.Chunks), Of(TtsSlice.BatchItems), WasGenerating: Of(TtsSlice.Runtime).Count > 0);
    }

    protected internal override IEnumerable<(SessionChange Change, string Note)> DropClips(
        SessionState state, IReadOnlySet<string> missing) => MissingAudio.Changes((AppState)state, missing);

    internal override CleanUpPlan? PlanCleanUp(SessionState state, long bytes) =>
        QuotaCleanUp.Plan((AppState)state, bytes)?.ToCleanUp();

    internal override (SessionState? State, ImportReport Report) Import(
        ImportRequest request, MigrationChain migrations, Func<SessionState, SessionState> partialize) =>
        ImportReader.Read(request, migrations, state => (AppState)partialize(state));
}
