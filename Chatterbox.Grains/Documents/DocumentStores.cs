using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Documents;

/// <summary>The preset for documents.</summary>
public static class DocumentStores
{
    private static readonly PersistConfig Preset = new() { Name = "document", App = DocumentSiloApp.Instance };

    internal static IEnumerable<PersistConfig> Presets => [Preset];

    extension(PersistConfig)
    {
        /// <summary>A document of any JSON: <c>AddChatterboxStore(PersistConfig.Document with { Name = "notes" })</c>.</summary>
        public static PersistConfig Document => Preset;
    }

    /// <summary>Adds a step to the schema history of one store of documents.</summary>
    public static ISiloBuilder AddChatterboxDocumentMigration(this ISiloBuilder silo, string store,
        IDocumentMigration migration) =>
        silo.AddChatterboxMigration(DocumentSiloApp.Instance, new DocumentMigrationStep(migration), store);
}
