using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.Client.Connections;

/// <summary>Passes on that connections to gateways were lost or found.</summary>
internal sealed class ConnectionObserver(IServiceProvider services) : IClusterConnectionStatusObserver
{
    public void NotifyClusterConnectionLost() => Notify();

    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered) => Notify();

    // Not a constructor's parameter: the client needs the cluster's client, which needs this.
    private void Notify() => services.GetService<ChatterboxClient>()?.ConnectionChanged();
}
