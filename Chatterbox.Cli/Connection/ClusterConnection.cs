using System.CommandLine;
using System.Net;
using Chatterbox.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Cli.Connection;

/// <summary>A connection to the silos for as long as a verb runs.</summary>
internal sealed class ClusterConnection : IAsyncDisposable
{
    /// <summary>The time to wait for the service when closing.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(3);

    private readonly IHost _host;

    private ClusterConnection(IHost host) => _host = host;

    public ChatterboxClient Client => _host.Services.GetRequiredService<ChatterboxClient>();

    public IGrainFactory Grains => _host.Services.GetRequiredService<IClusterClient>();

    /// <param name="waiting">Called after each failed attempt before the next one; null gives up after the first.</param>
    /// <exception cref="OutOfServiceException">No silo answers.</exception>
    public static async Task<ClusterConnection> OpenAsync(
        ParseResult parsed, Action? waiting, CancellationToken cancellationToken)
    {
        var gateways = parsed.GetRequiredValue(ConnectionOptions.Gateways);
        var serviceKey = ServiceKey.Of(parsed);
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.ClearProviders();
        builder.AddChatterboxClient(options =>
        {
            foreach (var gateway in gateways) options.Gateways.Add(gateway);
            options.ServiceKey = serviceKey;
            Tls.Configure(options, parsed);
            options.Device = $"chatterbox on {Environment.MachineName}";
            options.CloseTimeout = CloseTimeout;
        });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton<IClientConnectionRetryFilter>(new RetryFilter(waiting));
        var host = builder.Build();
        try
        {
            await host.StartAsync(cancellationToken).WaitAsync(cancellationToken);
            return new(host);
        }
        catch (Exception failure)
        {
            // Not awaited: it would wait for the abandoned start.
            if (failure is OperationCanceledException) throw;
            var asked = gateways.Select(gateway => gateway is DnsEndPoint name ? $"{name.Host}:{name.Port}" : $"{gateway}");
            throw new OutOfServiceException($"no silo answers at {string.Join(", ", asked)}; "
                + "start one with 'dotnet run --project Chatterbox.Silo', or name another with --gateway");
        }
    }

    /// <summary>Opens a store of any app that this command knows. The session says which it is.</summary>
    /// <exception cref="WrongRequestException">It is of an app that this command does not know.</exception>
    public async Task<AppStore> OpenAsync(SessionId session, CancellationToken cancellationToken)
    {
        var grain = Grains.GetGrain<IUserSessionGrain>(session.Key);
        var status = await SessionCall.RepeatAsync(grain.GetStatusAsync, SessionCall.CanReadAgain, cancellationToken);
        return Client.OpenUntyped(session, KnownApps.Find(status.App) ?? throw WrongRequestException.For(Rejection.OfText(
            "store", status.App, $"a store of an app that this command knows ({string.Join(", ", KnownApps.Names)})")));
    }

    public async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(CloseTimeout);
        try
        {
            await Client.DisposeAsync().AsTask().WaitAsync(deadline.Token);
            await _host.StopAsync(deadline.Token).WaitAsync(deadline.Token);
        }
        catch (Exception unreachable) when (unreachable is not OutOfMemoryException)
        {
            // The process ends; the silo notices by the lease.
        }
    }

    private sealed class RetryFilter(Action? waiting) : IClientConnectionRetryFilter
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

        public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
        {
            if (waiting is null) return false;
            waiting();
            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            return true;
        }
    }

    /// <summary>System.CommandLine handles signals, not the host.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
