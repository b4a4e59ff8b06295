using System.Text.Json;
using System.Text.Json.Nodes;
using Chatterbox.Grains.Import;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Documents;

/// <summary>Documents in a silo.</summary>
public sealed class DocumentSiloApp : SiloApp
{
    private DocumentSiloApp() : base(DocumentApp.Instance) { }

    public static DocumentSiloApp Instance { get; } = new();

    internal override SessionState MigrateWhole(SessionState state, MigrationChain migrations, int version)
    {
        JsonNode document = ToNode((DocumentState)state);
        foreach (var step in migrations.From(version).OfType<DocumentMigrationStep>()) document = step.Migrate(document);
        return FromNode(document);
    }

    internal override (SessionState? State, ImportReport Report) Import(
        ImportRequest request, MigrationChain migrations, Func<SessionState, SessionState> partialize)
    {
        var report = new ImportReport { FromVersion = request.Version, ToVersion = migrations.CurrentVersion,
            DryRun = request.DryRun };
        try
        {
            // Whatever version another app gave its store, it is as it is: the document's own versions are those of exports.
            var isExport = request.Format is ImportFormat.Export;
            var version = isExport ? request.Version : 0;
            var notes = new ImportNotes(request.Strict);
            var members = ImportJson.Parse(request with { Version = version }, migrations, notes);
            var state = (DocumentState)MigrateWhole(FromNode(members), migrations, version);
            if (state.Count > DocumentLimits.Keys)
                throw ImportJson.Refused("state", $"{state.Count} keys", $"at most {DocumentLimits.Keys}");
            ImportJson.CheckSize(Definition, state);
            return (state, notes.AddTo(ImportJson.Describe(Definition, report, state)));
        }
        catch (ImportRefusedException refused)
        {
            return (null, report with { Refused = refused.Why });
        }
        catch (MigrationException failed)
        {
            return (null, report with { Refused = new("state", $"of version {request.Version}: {failed.Message}",
                "migratable") });
        }
    }

    private static JsonObject ToNode(DocumentState state) =>
        (JsonObject)JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(DocumentApp.Instance.ToJson(state)))!;

    /// <exception cref="ImportRefusedException">A key or value that no document may hold.</exception>
    private static DocumentState FromNode(JsonNode document)
    {
        if (document is not JsonObject members) throw new MigrationException("What a migration returned is no object.");
        var entries = new List<DocumentEntry>();
        foreach (var (key, node) in members)
        {
            try
            {
                var value = DocumentValue.Parse(node?.ToJsonString() ?? "null");
                var (_, wrong) = DocumentApp.Instance.Apply(DocumentState.Initial, new RemoveKey(key));
                if (wrong is not null) throw new ImportRefusedException(wrong with { Field = "state" });
                entries.Add(new(key, value));
            }
            catch (ArgumentException wrong)
            {
                throw ImportJson.Refused($"state.{key}", wrong.Message, "a value that a document may hold");
            }
        }
        return new() { Keys = entries.ToValueList() };
    }
}
