namespace Chatterbox.GatewayTests;

/// <summary>One silo for the tests of a class, each with users of its own.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    public GatewayHost Host { get; private set; } = null!;

    public async Task InitializeAsync() => Host = await GatewayHost.StartAsync();

    public async Task DisposeAsync() => await Host.DisposeAsync();
}
