using System.Security.Cryptography;
using System.Text;

namespace Chatterbox.Client.Outbox;

/// <summary>
/// The outboxes of a device. Each open store of a session has its own, also across processes. Changes that a store leaves behind
/// are sent by the next client that opens the session.
/// </summary>
internal sealed class OutboxFolder(ChatterboxClientOptions options, TimeProvider clock)
{
    /// <summary>The most stores of one session on one device at once. More indicate a bug.</summary>
    private const int Most = 64;

    /// <summary>The first free outbox of the session.</summary>
    /// <exception cref="OutboxUnavailableException">The folder cannot be used.</exception>
    public OutboxFile Open(SessionId session, AppDefinition app)
    {
        var folder = options.OutboxDirectory!;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new OutboxUnavailableException(folder, failure.Message, failure);
        }
        for (var number = 1; number <= Most; number++)
        {
            if (TryOpen(PathOf(session, number), session, app) is { } free) return free;
        }
        throw new OutboxUnavailableException(folder, $"{Most} stores of {session.Key} have an outbox in it at present.");
    }

    /// <summary>The session's outboxes with changes that no open store will send. The caller owns those returned.</summary>
    public IEnumerable<OutboxFile> LeftBehind(SessionId session, AppDefinition app)
    {
        for (var number = 1; number <= Most; number++)
        {
            var path = PathOf(session, number);
            if (!File.Exists(path) || TryOpen(path, session, app) is not { } left) continue;
            if (left.Recovered.Count > 0) yield return left;
            else
            {
                left.Delete();
                left.Dispose();
            }
        }
    }

    private OutboxFile? TryOpen(string path, SessionId session, AppDefinition app) =>
        OutboxFile.TryOpen(path, app, session.Key, ChatterboxClient.NewId(), options.OutboxFlushToDisk, clock);

    // The hash makes any user name a valid file name; the file holds the session's name.
    private string PathOf(SessionId session, int number)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{options.ServiceId}\n{session.Key}")))[..32];
        return Path.Combine(options.OutboxDirectory!, number == 1 ? $"{hash}.outbox" : $"{hash}.{number}.outbox");
    }
}
