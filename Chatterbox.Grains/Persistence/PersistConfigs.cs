using Microsoft.Extensions.Options;

namespace Chatterbox.Grains.Persistence;

/// <summary>The registered configurations by store name, checked.</summary>
public sealed class PersistConfigs
{
    private readonly Dictionary<string, PersistConfig> _byName = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">
    /// An app's definition has a mistake; a configuration is out of range or registered twice; settings name an unregistered
    /// store or app.
    /// </exception>
    public PersistConfigs(IEnumerable<PersistConfig> configs, IEnumerable<SiloApp> apps, IOptions<ChatterboxOptions> options)
    {
        var problems = new List<string>();
        var registered = configs.ToArray();
        var byName = AppsByName([.. apps, .. registered.Select(config => config.App)], problems);
        var known = registered.Select(config => config.Name).ToHashSet(StringComparer.Ordinal);
        var bySettings = options.Value.Stores.Where(each => each.Value.App is not null && !known.Contains(each.Key))
            .Where(each => byName.ContainsKey(each.Value.App!))
            .Select(each => new PersistConfig { Name = each.Key, App = byName[each.Value.App!] });
        foreach (var config in registered.Concat(bySettings).Select(config => config.Resolve(options.Value)))
        {
            problems.AddRange(config.Problems);
            if (!_byName.TryAdd(config.Name, config)) problems.Add($"store {config.Name} is registered twice");
        }
        foreach (var (name, store) in options.Value.Stores)
        {
            if (store.App is { } app && _byName.GetValueOrDefault(name)?.App.Name != app)
                problems.Add($"Stores: '{name}': App: must be {AllowedApp(name, byName.Keys)}, was '{app}'");
            else if (!_byName.ContainsKey(name))
                problems.Add($"Stores: '{name}' is not a registered store; registered are {string.Join(", ", Names)}");
        }
        Apps = [.. byName.Values];
        if (problems.Count > 0) throw new InvalidOperationException(string.Join("; ", problems));
    }

    /// <summary>The registered apps, each once.</summary>
    public IReadOnlyList<SiloApp> Apps { get; }

    public IEnumerable<PersistConfig> All => _byName.Values;

    public IEnumerable<string> Names => _byName.Keys.Order(StringComparer.Ordinal);

    public PersistConfig? Find(string store) => _byName.GetValueOrDefault(store);

    private static Dictionary<string, SiloApp> AppsByName(IEnumerable<SiloApp> apps, List<string> problems)
    {
        var byName = new Dictionary<string, SiloApp>(StringComparer.Ordinal);
        foreach (var app in apps.Distinct())
        {
            if (!byName.TryAdd(app.Name, app) && byName[app.Name].Definition != app.Definition)
                problems.Add($"app {app.Name} is registered twice");
            problems.AddRange(app.Definition.Problems.Select(problem => $"app {app.Name}: {problem}"));
        }
        // A change's name tells a gateway which it is, before it knows the app.
        problems.AddRange(byName.Values.SelectMany(app => app.Definition.ChangeTypes.Select(change => (app.Name,
                Change: $"{change.TypeDiscriminator}")))
            .GroupBy(each => each.Change, StringComparer.Ordinal)
            .Where(same => same.Select(each => each.Name).Distinct().Skip(1).Any())
            .Select(same => $"change '{same.Key}': must be of one app, was of "
                + string.Join(" and ", same.Select(each => each.Name))));
        return byName;
    }

    private string AllowedApp(string store, IEnumerable<string> apps) => _byName.TryGetValue(store, out var config)
        ? config.App.Name
        : $"a registered app ({string.Join(", ", apps.Order(StringComparer.Ordinal))})";
}
