namespace Chatterbox.Grains.Persistence;

/// <summary>A step of the schema's history that an application adds to an app, or to one store of it.</summary>
/// <param name="Store">Null is every store of the app.</param>
internal sealed record AddedMigration(string App, string? Store, ISliceMigration Step);

/// <summary>The chains of migrations, by app, and by store where one has steps of its own.</summary>
public sealed class MigrationChains
{
    private readonly Dictionary<string, MigrationChain> _ofApps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MigrationChain> _ofStores = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">A version has no step, or two; or a step is of an unknown app or
    /// store.</exception>
    internal MigrationChains(PersistConfigs configs, IEnumerable<AddedMigration> added)
    {
        var steps = added.ToArray();
        foreach (var app in configs.Apps)
        {
            var own = steps.Where(step => step.App == app.Name && step.Store is null).Select(step => step.Step).ToArray();
            _ofApps[app.Name] = Chain($"app {app.Name}", [.. app.Migrations, .. own]);
            foreach (var store in steps.Where(step => step.App == app.Name && step.Store is not null)
                .GroupBy(step => step.Store!))
            {
                _ofStores[store.Key] = Chain($"store {store.Key}",
                    [.. app.Migrations, .. own, .. store.Select(step => step.Step)]);
            }
        }
        var unknown = steps.Where(step => !_ofApps.ContainsKey(step.App)
            || (step.Store is { } store && configs.Find(store)?.App.Name != step.App)).Select(step => step.Store ?? step.App)
                .Distinct();
        if (string.Join(", ", unknown) is { Length: > 0 } names)
            throw new InvalidOperationException($"Migrations: must be of a registered app and store, was of {names}.");
    }

    /// <summary>The highest schema version of any store.</summary>
    public int LatestVersion => _ofApps.Values.Concat(_ofStores.Values).Max(chain => chain.CurrentVersion);

    public MigrationChain Of(SiloApp app) => _ofApps[app.Name];

    public MigrationChain Of(PersistConfig config) => _ofStores.GetValueOrDefault(config.Name) ?? Of(config.App);

    private static MigrationChain Chain(string of, IEnumerable<ISliceMigration> steps)
    {
        try
        {
            return new(steps);
        }
        catch (InvalidOperationException wrong)
        {
            throw new InvalidOperationException($"{of}: {wrong.Message}", wrong);
        }
    }
}
