using Chatterbox.Grains.Persistence;
using Orleans.Concurrency;

namespace Chatterbox.Grains;

/// <summary>Checks the stored sessions for operators outside the silo.</summary>
[StatelessWorker, GrainType("chatterbox.session-check")]
internal sealed class SessionCheckGrain(SessionInspector inspector) : Grain, ISessionCheckGrain
{
    public Task<SessionCheckPage> CheckAsync(int? after) => inspector.CheckPageAsync(after, CancellationToken.None);
}
