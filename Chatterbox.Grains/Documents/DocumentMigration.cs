using System.Text.Json.Nodes;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Documents;

/// <summary>
/// A step of the schema history of a store of documents, on the whole document. A silo that dies between the rows of a migrated
/// document migrates it again: a step leaves what it has migrated as it is.
/// </summary>
public interface IDocumentMigration
{
    /// <summary>The version the step starts from; it ends at the next.</summary>
    int FromVersion { get; }

    JsonObject Migrate(JsonObject document);
}

/// <summary>Raises the version of each row; the document is migrated once all of its rows are read.</summary>
internal sealed class DocumentMigrationStep(IDocumentMigration migration) : ISliceMigration
{
    public int FromVersion => migration.FromVersion;

    public JsonNode Migrate(string slice, JsonNode state) => state;

    /// <exception cref="MigrationException">The step failed.</exception>
    public JsonObject Migrate(JsonNode document)
    {
        try
        {
            return migration.Migrate((JsonObject)document);
        }
        catch (Exception failure)
        {
            throw new MigrationException(
                $"The migration of the document from version {FromVersion} to {FromVersion + 1} failed: {failure.Message}",
                    failure);
        }
    }
}
