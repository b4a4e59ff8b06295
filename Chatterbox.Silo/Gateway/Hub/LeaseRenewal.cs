using Chatterbox.Grains;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.Extensions.Options;

namespace Chatterbox.Silo.Gateway.Hub;

/// <summary>
/// Renews the leases of what is attached for as long as its socket answers pings, tells connections what they missed, and closes
/// those whose token has expired.
/// </summary>
internal sealed partial class LeaseRenewal(
    GatewayConnections connections, EventFanOut events, IGrainFactory grains, IOptions<ChatterboxOptions> options,
    TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<LeaseRenewal> logger) : BackgroundService
{
    private static readonly TimeSpan SubscriptionRenewal = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ExpiryPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TimeToClose = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ClosingPeriod = TimeSpan.FromMilliseconds(20);
    private static readonly ParallelOptions SomeAtOnce = new() { MaxDegreeOfParallelism = 64 };

    private readonly TimeSpan _period = options.Value.Lease / 3;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(SayBye);
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await events.UnsubscribeAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(RenewAsync(stoppingToken), ExpireAsync(stoppingToken))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Waited for, since SignalR drops its connections, and what they have not sent yet, as soon as this returns.
    private void SayBye() => SayByeAsync().Wait(CancellationToken.None);

    private async Task SayByeAsync()
    {
        await Task.WhenAll(connections.All.Select(connection => connection.SayByeAsync(ByeReason.Stopping)));
        var asked = clock.GetTimestamp();
        using var timer = new PeriodicTimer(ClosingPeriod, clock);
        while (connections.All.Any() && clock.GetElapsedTime(asked) < TimeToClose) await timer.WaitForNextTickAsync();
    }

    private async Task RenewAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(_period, clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            if (!connections.Attachments.Any()) continue;
            await events.EnsureSubscribedAsync(SubscriptionRenewal);
            var attached = connections.Attachments.Where(attachment => attachment.IsAttached);
            await Parallel.ForEachAsync(attached, SomeAtOnce, (attachment, _) => RenewAsync(attachment));
        }
    }

    private async ValueTask RenewAsync(Attachment attachment)
    {
        try
        {
            var reply = await grains.GetGrain<IUserSessionGrain>(attachment.Key).HeartbeatAsync(attachment.Client);
            if (reply.Superseded)
            {
                connections.End(attachment);
                return;
            }
            if (reply.Attached && !attachment.HasMissed(reply)) return;
            attachment.Connection.PostBehind(attachment, reply.Attached ? reply.Epoch : 0, reply.Revision, reply.DurableRevision);
            await events.EnsureSubscribedAsync(EventFanOut.Fresh);
        }
        catch (Exception failure)
        {
            LogNotRenewed(attachment.Key, failure.Message);
        }
    }

    private async Task ExpireAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(ExpiryPeriod, clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            var now = clock.GetUtcNow();
            foreach (var connection in connections.All.Where(connection => connection.ExpiresAt <= now))
                _ = connection.CloseAsync(ByeReason.Expired, clock);
        }
    }

    [LoggerMessage(LogLevel.Debug, "A lease of session {Session} was not renewed: {Reason}")]
    private partial void LogNotRenewed(string session, string reason);
}
