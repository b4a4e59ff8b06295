using System.Text.Json;
using System.Text.Json.Nodes;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Import;

/// <summary>
/// Imports a state as Chatterbox exports it: a member for each slice, migrated like stored ones. All of it or nothing.
/// </summary>
internal static class SliceImport
{
    public static (SessionState? State, ImportReport Report) Read(
        AppDefinition app, ImportRequest request, MigrationChain migrations)
    {
        var report = new ImportReport { FromVersion = request.Version, ToVersion = migrations.CurrentVersion,
            DryRun = request.DryRun };
        try
        {
            var notes = new ImportNotes(request.Strict);
            var state = Read(app, ImportJson.Parse(request, migrations, notes), request.Version, migrations, notes);
            ImportJson.CheckSize(app, state);
            return app.Check(state) is { } wrong
                ? (null, report with { Refused = wrong with { Field = $"state.{wrong.Field}" } })
                : (state, notes.AddTo(ImportJson.Describe(app, report, state)));
        }
        catch (ImportRefusedException refused)
        {
            return (null, report with { Refused = refused.Why });
        }
    }

    private static SessionState Read(
        AppDefinition app, JsonObject members, int version, MigrationChain migrations, ImportNotes notes)
    {
        var state = app.Initial;
        foreach (var (name, node) in members)
        {
            if (app.FindSlice(name) is not { IsStored: true } slice)
            {
                notes.Note($"state.{name}: left out, not part of what is stored");
                continue;
            }
            try
            {
                state = slice.With(state, slice.Read(migrations.Migrate(name, node?.DeepClone(), version)));
            }
            catch (Exception wrong) when (wrong is JsonException or MigrationException or InvalidOperationException
                or FormatException or ArgumentException or OverflowException)
            {
                throw new ImportRefusedException(new($"state.{name}", $"of version {version}: {wrong.Message}",
                    $"the {name} of the app"));
            }
        }
        return state;
    }
}
