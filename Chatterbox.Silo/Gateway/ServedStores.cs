using Chatterbox.Grains.Persistence;

namespace Chatterbox.Silo.Gateway;

/// <summary>Refuses a session that there cannot be, before one is loaded for it.</summary>
internal sealed class ServedStores(PersistConfigs configs)
{
    /// <summary>The app of a store that was checked.</summary>
    public AppDefinition AppOf(string store) => configs.Find(store)!.App.Definition;

    public Rejection? Check(SessionId session) => session.Validate() ?? (configs.Find(session.Store) is null
        ? Rejection.OfText("store", session.Store, $"a registered store: {string.Join(", ", configs.Names)}")
        : null);
}
