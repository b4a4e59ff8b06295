using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Import;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains;

/// <summary>
/// What a silo has to know of an app beside its <see cref="AppDefinition"/>: how its state is stored, recovered, cleaned up and
/// imported. An app without work, audio or an import of its own needs no derived class.
/// </summary>
public class SiloApp(AppDefinition definition)
{
    public AppDefinition Definition => definition;

    public string Name => definition.Name;

    /// <summary>The steps of the schema's history, from version 0 on. Applications add theirs after these.</summary>
    public virtual IEnumerable<ISliceMigration> Migrations => [];

    /// <summary>What migrating a state takes beyond its slices, one by one, once all of them are read and migrated.</summary>
    /// <param name="version">The lowest version of a row.</param>
    /// <exception cref="MigrationException">A step failed.</exception>
    internal virtual SessionState MigrateWhole(SessionState state, MigrationChain migrations, int version) => state;

    /// <summary>
    /// The changes that remove what the store does not keep, so that every client sees it leave before anything is stored without
    /// it.
    /// </summary>
    /// <param name="stored">The part of the state that the store keeps.</param>
    protected internal virtual IEnumerable<SessionChange> RemoveUnstored(SessionState state, SessionState stored) => [];

    /// <summary>The ids of a kind of work that are unfinished in a state, in its order; null when the state does not
    /// say.</summary>
    protected internal virtual IEnumerable<string>? Unfinished(SessionState state, string kind) => null;

    /// <summary>The change that marks interrupted work as such, ready to run again; null when there is none.</summary>
    protected internal virtual SessionChange? Interrupt(string kind, string id) => null;

    /// <summary>The change that discards interrupted work; null when there is none.</summary>
    protected internal virtual SessionChange? Discard(string kind, string id) => null;

    /// <summary>Interrupted work as clients are told of it.</summary>
    internal virtual CrashInfo Describe(ValueList<WorkItems> interrupted) => new(
        interrupted.SelectMany(work => work.Ids).ToValueList(), BatchItems: [], WasGenerating: false);

    /// <summary>The changes that remove references to clips that are not stored any more, each in words.</summary>
    protected internal virtual IEnumerable<(SessionChange Change, string Note)> DropClips(
        SessionState state, IReadOnlySet<string> missing) => [];

    /// <summary>
    /// Selects the audio to drop so that a session is within its quota again. Null when all of it would not be enough: then
    /// nothing is dropped.
    /// </summary>
    /// <param name="bytes">What has to be freed; 0 or less is enough already.</param>
    internal virtual CleanUpPlan? PlanCleanUp(SessionState state, long bytes) => bytes <= 0 ? CleanUpPlan.Nothing : null;

    /// <summary>Reads a foreign state. Null, and a report with the reason, when nothing of it can be used.</summary>
    /// <param name="partialize">Selects the part of a state that the store keeps.</param>
    internal virtual (SessionState? State, ImportReport Report) Import(
        ImportRequest request, MigrationChain migrations, Func<SessionState, SessionState> partialize) =>
        SliceImport.Read(definition, request, migrations);
}
