using Microsoft.Extensions.Logging;

namespace Chatterbox.Client;

/// <summary>Sends the changes that earlier runs left in outboxes on this device.</summary>
public sealed partial class ChatterboxClient
{
    // Sent with their original client id: the session may already hold some of them.
    private void SendLeftBehind(SessionId session, AppDefinition app)
    {
        try
        {
            foreach (var outbox in _outboxes!.LeftBehind(session, app))
            {
                // One slice, since the state is of no use here.
                var options = new StoreOptions { Slices = [app.Slices[0].Name] };
                _ = SendAsync(Start(new AppStore(new(this, app, session, options, outbox))));
            }
        }
        catch (OutboxUnavailableException failure)
        {
            LogLeftBehind(session.Key, failure.Message);
        }
    }

    private async Task SendAsync(AppStore leftBehind)
    {
        while (!_closing.IsCancellationRequested && leftBehind.OutboxCount > 0)
        {
            try
            {
                await leftBehind.EmptyOutboxAsync(_closing.Token);
            }
            catch (Exception failure)
            {
                // The store stays open and sends the rest as soon as the session accepts changes.
                LogLeftBehind(leftBehind.Session.Key, failure.Message);
                if (leftBehind.Hydrated.IsFaulted) break;
                await Task.Delay(Options.MaxRetryDelay, Clock, CancellationToken.None);
            }
        }
        await leftBehind.DisposeAsync();
    }

    [LoggerMessage(LogLevel.Warning, "Changes that another client left in its outbox of {Session} are not sent yet: {Reason}")]
    private partial void LogLeftBehind(string session, string reason);
}
