using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Chatterbox.Grains.FanOut;

/// <summary>
/// Tells the client processes attached to a session what happens to it: one stream each, events queued while one is on its way
/// and sent together. Never blocks and never fails a change: what gets lost, clients notice by the revisions and ask for.
/// </summary>
internal sealed partial class SessionFeed(string session, IStreamProvider streams, Leases leases, ILogger logger)
{
    /// <summary>A target further behind than this is better served by asking.</summary>
    private const int MostQueued = 512;

    private readonly Dictionary<string, Target> _targets = new(StringComparer.Ordinal);

    public void Publish(long epoch, SessionEvent what)
    {
        foreach (var process in leases.All.Select(lease => lease.Client.Process).Distinct())
        {
            if (!_targets.TryGetValue(process, out var target)) _targets[process] = target = new Target(streams, process);
            target.Enqueue(epoch, what);
            if (!target.IsSending) _ = SendAsync(target);
        }
    }

    /// <summary>Forgets the processes without a lease.</summary>
    public void Trim()
    {
        var attached = leases.All.Select(lease => lease.Client.Process).ToHashSet(StringComparer.Ordinal);
        foreach (var process in _targets.Keys.Where(process => !attached.Contains(process)).ToArray()) _targets.Remove(process);
    }

    private async Task SendAsync(Target target)
    {
        target.IsSending = true;
        try
        {
            while (target.Take() is { } events)
            {
                await target.Stream.OnNextAsync(new SessionEvents(session, events.Epoch, events.Events));
            }
        }
        catch (Exception failure)
        {
            LogLost(session, target.Process, failure.Message);
        }
        finally
        {
            target.IsSending = false;
        }
    }

    [LoggerMessage(LogLevel.Debug, "Events of {Session} for process {Process} were lost: {Reason}")]
    private partial void LogLost(string session, string process, string reason);

    private sealed class Target(IStreamProvider streams, string process)
    {
        private readonly List<SessionEvent> _queue = [];
        private long _epoch;

        public string Process => process;

        public IAsyncStream<SessionEvents> Stream { get; } = streams.GetStream<SessionEvents>(ChatterboxStreams.OfProcess(process));

        public bool IsSending { get; set; }

        public void Enqueue(long epoch, SessionEvent what)
        {
            if (epoch != _epoch || _queue.Count >= MostQueued) _queue.Clear();
            _epoch = epoch;
            if (what is ChangesApplied more && _queue is [.., ChangesApplied last] && last.ToRevision == more.FromRevision)
            {
                _queue[^1] = new ChangesApplied(last.FromRevision, more.ToRevision, [.. last.Changes, .. more.Changes]);
            }
            else
            {
                _queue.Add(what);
            }
        }

        public (long Epoch, ValueList<SessionEvent> Events)? Take()
        {
            if (_queue.Count == 0) return null;
            var events = _queue.ToValueList();
            _queue.Clear();
            return (_epoch, events);
        }
    }
}
