using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.Client.Connections;

/// <summary>Tells the client when gateway connections were lost or restored.</summary>
internal sealed class ConnectionObserver(IServiceProvider services) : IClusterConnectionStatusObserver
{
    public void NotifyClusterConnectionLost() => Notify();

    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered) =>
        Notify();

    // Not a constructor parameter: the client needs the cluster's client, which needs this.
    private void Notify() => services.GetService<ChatterboxClient>()?.ConnectionChanged();
}
