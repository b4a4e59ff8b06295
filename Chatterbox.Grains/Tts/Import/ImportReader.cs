using Chatterbox.Grains.Import;
using System.Text.Json;
using System.Text.Json.Nodes;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>
/// Reads a foreign state: the <c>state</c> of the browser app's Zustand envelope, or a Chatterbox export. It is split into slices
/// of the document's version, migrated like stored slices, and then invalid values are repaired item by item.
/// </summary>
internal static class ImportReader
{
    /// <summary>The state, or null and a report with the reason: the item, its value, and the allowed values.</summary>
    /// <param name="partialize">Selects the part of a state that the store keeps; null is all.</param>
    public static (AppState? State, ImportReport Report) Read(
        ImportRequest request, MigrationChain migrations, Func<AppState, AppState>? partialize = null)
    {
        var report = new ImportReport { FromVersion = request.Version, ToVersion = migrations.CurrentVersion,
            DryRun = request.DryRun };
        try
        {
            var notes = new ImportNotes(request.Strict);
            var slices = Slices(request, migrations, notes);
            new SliceMender(notes, request.Format is ImportFormat.Browser).Mend(slices);
            var state = (AppState)slices.Aggregate((SessionState)AppState.Initial,
                (state, slice) => slice.Slice.With(state, Read(slice, notes)));
            state = AudioReferences.Without(state, request.Missing ?? [], notes);
            state = AudioReferences.Consistent(state, request.Format, notes);
            state = KeptState.Of(state, partialize ?? (all => all), slice =>
                slices.First(each => each.Slice == slice).Place, notes);
            return Validation.Check(state) is { } wrong
                ? (null, report with { Refused = wrong with { Field = $"state.{wrong.Field}" } })
                : (state, notes.AddTo(Describe(report, state)));
        }
        catch (ImportRefusedException refused)
        {
            return (null, report with { Refused = refused.Why });
        }
    }

    private static IReadOnlyList<DocumentSlice> Slices(ImportRequest request, MigrationChain migrations, ImportNotes notes)
    {
        var slices = StateLayout.Slices(ImportJson.Parse(request, migrations, notes), request.Format, notes);
        return [.. slices.Select(slice => slice with { Node = Migrate(slice, request.Version, migrations) })];
    }

    private static JsonNode Migrate(DocumentSlice slice, int version, MigrationChain migrations)
    {
        try
        {
            return migrations.Migrate(slice.Slice.Name, slice.Node, version);
        }
        catch (MigrationException failed)
        {
            throw ImportJson.Refused(slice.Place, $"of version {version}: {failed.Message}", "migratable");
        }
    }

    // Repaired items are readable; any that are still unreadable or invalid are left out.
    private static object Read(DocumentSlice slice, ImportNotes notes)
    {
        if (TryRead(slice.Slice, slice.Node) is { Wrong: null, Value: { } value }) return value;
        if (slice.Node is not JsonArray items)
        {
            notes.Mend(slice.Place, TryRead(slice.Slice, slice.Node).Wrong!, $"{slice.Slice.Name} as the app stores them",
                "the defaults are taken");
            return slice.Slice.Get(AppState.Initial);
        }
        var kept = new JsonArray();
        for (var at = 0; at < items.Count; at++)
        {
            if (TryRead(slice.Slice, new JsonArray(items[at]!.DeepClone())).Wrong
                is not { } wrong) kept.Add(items[at]!.DeepClone());
            else notes.Mend($"{slice.Place}: {items[at]!["id"]}", wrong, $"{slice.Slice.Name} as the app stores them",
                "left out");
        }
        return slice.Slice.Read(kept);
    }

    private static (object? Value, string? Wrong) TryRead(SliceDefinition slice, JsonNode node)
    {
        try
        {
            var value = slice.Read(node);
            // As it will be after chunks and their audio are made consistent.
            var state = AudioReferences.Consistent((AppState)slice.With(AppState.Initial, value), ImportFormat.Browser,
                new ImportNotes(isStrict: false));
            return (value, Validation.Check(state)?.Message);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException or ArgumentException
            or OverflowException)
        {
            return (null, wrong.Message);
        }
    }

    private static ImportReport Describe(ImportReport report, AppState state)
    {
        return ImportJson.Describe(TtsApp.Instance, report, state) with
        {
            WorkSessions = state.WorkSessions.Count,
            SavedVoices = state.SavedVoices.Count,
            Chunks = state.Chunks.Count,
            BatchItems = state.BatchItems.Count,
        };
    }
}
