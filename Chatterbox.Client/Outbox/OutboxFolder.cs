using System.Security.Cryptography;
using System.Text;

namespace Chatterbox.Client.Outbox;

/// <summary>
/// The outboxes of a device. A session has one, and where several stores of it are open at once, in whatever processes, each has its
/// own: what one of them leaves behind is sent by whoever opens the session next.
/// </summary>
internal sealed class OutboxFolder(ChatterboxClientOptions options, TimeProvider clock)
{
    /// <summary>Stores of one session on one device at once. So many are not people but a mistake.</summary>
    private const int Most = 64;

    /// <summary>The first outbox of the session that nobody has.</summary>
    /// <exception cref="OutboxUnavailableException">The folder cannot be used.</exception>
    public OutboxFile Open(SessionId session)
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
            if (TryOpen(PathOf(session, number), session) is { } free) return free;
        }
        throw new OutboxUnavailableException(folder, $"{Most} stores of {session.Key} have an outbox in it at present.");
    }

    /// <summary>Outboxes of the session with changes that nobody is about to send. Whoever gets one has it.</summary>
    public IEnumerable<OutboxFile> LeftBehind(SessionId session)
    {
        for (var number = 1; number <= Most; number++)
        {
            var path = PathOf(session, number);
            if (!File.Exists(path) || TryOpen(path, session) is not { } left) continue;
            if (left.Recovered.Count > 0) yield return left;
            else
            {
                left.Delete();
                left.Dispose();
            }
        }
    }

    private OutboxFile? TryOpen(string path, SessionId session) =>
        OutboxFile.TryOpen(path, session.Key, ChatterboxClient.NewId(), options.OutboxFlushToDisk, clock);

    // Any user name makes a file name; the file itself says whose it is.
    private string PathOf(SessionId session, int number)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{options.ServiceId}\n{session.Key}")))[..32];
        return Path.Combine(options.OutboxDirectory!, number == 1 ? $"{hash}.outbox" : $"{hash}.{number}.outbox");
    }
}
