using System.Collections.Concurrent;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>Bounds the calls of one caller, over the Orleans gateway, that this silo works on at once.</summary>
internal sealed class CallsInProgress(GatewayOptions options)
{
    private readonly ConcurrentDictionary<string, int> _byCaller = new(StringComparer.Ordinal);

    /// <summary>Callers with a call in progress.</summary>
    public int Callers => _byCaller.Count;

    /// <exception cref="TooManyCallsException">The caller has too many calls in progress.</exception>
    public async Task RunAsync(string caller, Func<Task> call)
    {
        if (_byCaller.AddOrUpdate(caller, 1, static (_, count) => count + 1) > options.CallsPerClient)
        {
            End(caller);
            throw new TooManyCallsException(new("calls", "more", $"at most {options.CallsPerClient} at once of one client"));
        }
        try
        {
            await call();
        }
        finally
        {
            End(caller);
        }
    }

    private void End(string caller)
    {
        while (_byCaller.TryGetValue(caller, out var count))
        {
            if (count > 1 ? _byCaller.TryUpdate(caller, count - 1, count) : _byCaller.TryRemove(new(caller, count))) return;
        }
    }
}
