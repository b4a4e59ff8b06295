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
    /// <param name="slice">The slice's name.</param>
    JsonNode Migrate(string slice, JsonNode state);
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

    /// <summary>The steps from a version on.</summary>
    internal IEnumerable<ISliceMigration> From(int version) => _steps.Skip(version);

    /// <summary>Migrates a slice from a version to the current one.</summary>
    /// <exception cref="MigrationException">A step threw, or the version cannot be migrated.</exception>
    public JsonNode Migrate(string slice, JsonNode? state, int version)
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
