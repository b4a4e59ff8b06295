using System.Net;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Client.Connections;

/// <summary>
/// The gateways that do not answer. Probing starts when a call is unanswered for long, and ends when all gateways answer: no cost
/// while all answer. Orleans itself keeps using a gateway as long as its connection is open.
/// </summary>
internal sealed partial class SilentGateways : IDisposable
{
    /// <summary>A silo that does not answer a probe in this time is not used while another one does.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);

    /// <summary>The shortest time between two rounds of probes.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Func<IPEndPoint, CancellationToken, Task<bool>> _answers;
    private readonly TimeProvider _clock;
    private readonly ILogger<SilentGateways> _logger;
    private readonly CancellationTokenSource _disposed = new();
    private volatile IReadOnlyCollection<IPEndPoint> _known = [];
    private volatile HashSet<IPEndPoint> _silent = [];
    private int _probing;

    public SilentGateways(TimeProvider clock, ILogger<SilentGateways> logger) : this(GatewayProbe.AnswersAsync, clock, logger)
    {
    }

    /// <param name="answers">Whether a gateway answers before the token is cancelled.</param>
    internal SilentGateways(
        Func<IPEndPoint, CancellationToken, Task<bool>> answers, TimeProvider clock, ILogger<SilentGateways> logger) =>
        (_answers, _clock, _logger) = (answers, clock, logger);

    /// <summary>The gateways not known to be silent; all of them when every one is.</summary>
    public IReadOnlyCollection<IPEndPoint> LeaveOut(IReadOnlyCollection<IPEndPoint> known)
    {
        _known = known;
        IPEndPoint[] answering = [.. known.Where(gateway => !_silent.Contains(gateway))];
        return answering.Length > 0 ? answering : known;
    }

    /// <summary>Reports a call that was not answered for long: its gateway may be silent.</summary>
    public void Suspect()
    {
        if (Interlocked.Exchange(ref _probing, 1) == 0) _ = ProbeAsync();
    }

    public void Dispose() => _disposed.Cancel();

    private async Task ProbeAsync()
    {
        try
        {
            do
            {
                await ProbeAllAsync();
                await Task.Delay(Interval, _clock, _disposed.Token);
            }
            while (_silent.Count > 0);
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        Volatile.Write(ref _probing, 0);
    }

    private async Task ProbeAllAsync()
    {
        var known = _known;
        using var timeout = new CancellationTokenSource(ProbeTimeout, _clock);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _disposed.Token);
        var answered = await Task.WhenAll(known.Select(gateway => _answers(gateway, ended.Token)));
        _disposed.Token.ThrowIfCancellationRequested();
        HashSet<IPEndPoint> silent = [.. known.Where((_, index) => !answered[index])];
        foreach (var gateway in silent.Except(_silent)) LogSilent(gateway);
        foreach (var gateway in _silent.Except(silent)) LogAnswers(gateway);
        _silent = silent;
    }

    [LoggerMessage(LogLevel.Warning, "The gateway {Gateway} does not answer. It is not used until it does")]
    private partial void LogSilent(IPEndPoint gateway);

    [LoggerMessage(LogLevel.Information, "The gateway {Gateway} answers again, or is not listed any more")]
    private partial void LogAnswers(IPEndPoint gateway);
}
