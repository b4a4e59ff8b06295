using Chatterbox.Client.Outbox;

namespace Chatterbox.Client;

/// <summary>What a store is opened with. Made by <see cref="ChatterboxClient"/>.</summary>
public sealed class StoreContext
{
    internal StoreContext(ChatterboxClient client, AppDefinition app, SessionId session, StoreOptions options,
        OutboxFile? file) =>
        (Client, App, Session, Options, File) = (client, app, session, options, file);

    internal ChatterboxClient Client { get; }

    internal AppDefinition App { get; }

    internal SessionId Session { get; }

    internal StoreOptions Options { get; }

    internal OutboxFile? File { get; }
}
