using Microsoft.Extensions.Options;

namespace Chatterbox.Grains.Persistence;

/// <summary>The registered configurations by store name, checked.</summary>
public sealed class PersistConfigs
{
    private readonly Dictionary<string, PersistConfig> _byName = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">A configuration is out of range or registered twice, or settings name an
    /// unregistered store.</exception>
    public PersistConfigs(IEnumerable<PersistConfig> configs, IOptions<ChatterboxOptions> options)
    {
        var problems = new List<string>();
        foreach (var config in configs.Select(config => config.Resolve(options.Value)))
        {
            problems.AddRange(config.Problems);
            if (!_byName.TryAdd(config.Name, config)) problems.Add($"store {config.Name} is registered twice");
        }
        problems.AddRange(options.Value.Stores.Keys.Where(name => !_byName.ContainsKey(name))
            .Select(name => $"Stores: '{name}' is not a registered store; registered are {string.Join(", ", Names)}"));
        if (problems.Count > 0) throw new InvalidOperationException(string.Join("; ", problems));
    }

    public IEnumerable<string> Names => _byName.Keys.Order(StringComparer.Ordinal);

    public PersistConfig? Find(string store) => _byName.GetValueOrDefault(store);
}
