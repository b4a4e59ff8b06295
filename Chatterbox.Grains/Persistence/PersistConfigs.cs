namespace Chatterbox.Grains.Persistence;

/// <summary>The registered configurations by store name.</summary>
public sealed class PersistConfigs(IEnumerable<PersistConfig> configs)
{
    private readonly Dictionary<string, PersistConfig> _byName = configs.ToDictionary(config => config.Name, StringComparer.Ordinal);

    public IEnumerable<string> Names => _byName.Keys.Order(StringComparer.Ordinal);

    public PersistConfig? Find(string store) => _byName.GetValueOrDefault(store);
}
