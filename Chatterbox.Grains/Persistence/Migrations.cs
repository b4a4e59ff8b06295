using System.Text.Json.Nodes;

namespace Chatterbox.Grains.Persistence;

/// <summary>One step of the schema's history. Works on JSON, so that no old types have to be kept.</summary>
public interface ISliceMigration
{
    /// <summary>The version the step starts from; it ends at the next.</summary>
    int FromVersion { get; }

    /// <summary>
    /// Migrates one slice by one version. Called for every slice; returns other slices unchanged.
    /// </summary>
    JsonNode Migrate(Slice slice, JsonNode state);
}

/// <summary>A migration step failed on a slice. Its bytes are kept in the history.</summary>
public sealed class MigrationException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The steps in order, from version 0 to the current one.</summary>
public sealed class MigrationChain
{
    private readonly ISliceMigration[] _steps;

    /// <exception cref="InvalidOperationException">A version has no step, or two.</exception>
    public MigrationChain(IEnumerable<ISliceMigration> steps)
    {
        _steps = [.. steps.OrderBy(step => step.FromVersion)];
        var versions = _steps.Select(step => step.FromVersion).ToArray();
        if (!versions.SequenceEqual(Enumerable.Range(0, versions.Length)))
        {
            throw new InvalidOperationException($"Migrations start from versions {string.Join(", ", versions)}; "
                + "needed is exactly one each from 0 on, without a gap.");
        }
    }

    /// <summary>The schema version that this silo reads and writes: where the last step ends.</summary>
    public int CurrentVersion => _steps.Length;

    /// <summary>Migrates a slice from a version to the current one.</summary>
    /// <exception cref="MigrationException">A step threw, or the version cannot be migrated.</exception>
    public JsonNode Migrate(Slice slice, JsonNode? state, int version)
    {
        if (version < 0 || version > CurrentVersion)
            throw new MigrationException($"Version {version} is not between 0 and {CurrentVersion}.");
        if (state is null) throw new MigrationException("There is no state to migrate.");
        for (; version < CurrentVersion; version++)
        {
            try
            {
                state = _steps[version].Migrate(slice, state);
            }
            catch (Exception failure)
            {
                throw new MigrationException(
                    $"The migration of {slice} from version {version} to {version + 1} failed: {failure.Message}", failure);
            }
        }
        return state;
    }
}

/// <summary>Version 0 had neither engine nor current parameters: both get the model's defaults.</summary>
internal sealed class DefaultEngineAndParameters : ISliceMigration
{
    public int FromVersion => 0;

    public JsonNode Migrate(Slice slice, JsonNode state)
    {
        if (slice != Slice.Preferences) return state;
        var preferences = state.AsObject();
        preferences["engine"] ??= "chatterbox";
        preferences["parameters"] ??= new JsonObject
        {
            ["exaggeration"] = 0.5, ["cfgWeight"] = 0.5, ["temperature"] = 0.8, ["minP"] = 0.05, ["topP"] = 1.0,
            ["repetitionPenalty"] = 1.2, ["seed"] = 0,
        };
        return preferences;
    }
}
