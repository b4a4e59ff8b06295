using System.Collections.Concurrent;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway.Access;

/// <param name="User">Whose token it is; null for a service, which is known by its process.</param>
internal readonly record struct Caller(string? User, GrainId Client);

/// <summary>Bounds the calls of one caller, over the Orleans gateway, that this silo works on at once.</summary>
internal sealed class CallsInProgress(GatewayOptions options)
{
    private readonly ConcurrentDictionary<Caller, int> _byCaller = new();

    /// <summary>Callers with a call in progress.</summary>
    public int Callers => _byCaller.Count;

    /// <exception cref="TooManyCallsException">The caller has too many calls in progress.</exception>
    public async Task InvokeAsync(Caller caller, IIncomingGrainCallContext call)
    {
        if (_byCaller.AddOrUpdate(caller, 1, static (_, count) => count + 1) > options.CallsPerClient)
        {
            End(caller);
            throw new TooManyCallsException(new("calls", "more", $"at most {options.CallsPerClient} at once of one client"));
        }
        try
        {
            await call.Invoke();
        }
        finally
        {
            End(caller);
        }
    }

    private void End(Caller caller)
    {
        while (_byCaller.TryGetValue(caller, out var count))
        {
            if (count > 1 ? _byCaller.TryUpdate(caller, count - 1, count) : _byCaller.TryRemove(new(caller, count))) return;
        }
    }
}
