using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Cluster;
using Orleans.Serialization.Invocation;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>Who may call a grain interface from outside the silos.</summary>
internal enum GrainAccess
{
    /// <summary>Nobody: silos only.</summary>
    Silos,

    /// <summary>Anybody.</summary>
    Anybody,

    /// <summary>Any service or user whose credential is accepted.</summary>
    AnyClient,

    /// <summary>Services, and the user to whom the grain's key belongs.</summary>
    Owner,

    /// <summary>Services, and users with the operator role.</summary>
    Operator,
}

/// <summary>The rule of each grain interface. One without a rule is for silos only.</summary>
internal static class GrainRules
{
    private static readonly Dictionary<Type, GrainAccess> Own = new()
    {
        [typeof(IUserSessionGrain)] = GrainAccess.Owner,
        [typeof(IAudioClipGrain)] = GrainAccess.Owner,
        [typeof(ISessionCheckGrain)] = GrainAccess.Operator,
        [typeof(IClusterGrain)] = GrainAccess.Operator,
        [typeof(IClipHolder)] = GrainAccess.Silos,
        [typeof(IClipKeeping)] = GrainAccess.Silos,
        [typeof(IAudioLedgerGrain)] = GrainAccess.Silos,
        [typeof(IAudioSweepGrain)] = GrainAccess.Silos,
        [typeof(ISiloAgent)] = GrainAccess.Silos,
    };

    // Orleans' own, most of them internal to it.
    private static readonly Dictionary<string, GrainAccess> OfOrleans = new(StringComparer.Ordinal)
    {
        // A client learns which grains there are, and so that its calls are denied.
        ["Orleans.Runtime.IClusterManifestSystemTarget"] = GrainAccess.Anybody,
        // Silos deliver events to this silo's own client part, without their credential, as to every client. Only who made a
        // subscription, and the cluster, know its id.
        ["Orleans.Streams.IStreamConsumerExtension"] = GrainAccess.Anybody,
        // A client process subscribes to its stream, whose name only it knows.
        ["Orleans.Streams.IPubSubRendezvousGrain"] = GrainAccess.AnyClient,
        // A client cancels its own calls.
        ["Orleans.Runtime.ICancellationSourcesExtension"] = GrainAccess.AnyClient,
        ["Orleans.Runtime.IGrainCallCancellationExtension"] = GrainAccess.AnyClient,
        ["Orleans.Runtime.IManagementGrain"] = GrainAccess.Operator,
    };

    public static IReadOnlyCollection<Type> Known => Own.Keys;

    public static GrainAccess Of(Type grainInterface) => Own.TryGetValue(grainInterface, out var access)
        || OfOrleans.TryGetValue(grainInterface.FullName!, out access) ? access : GrainAccess.Silos;

    /// <summary>The user to whom a grain belongs; null when its key is no user's.</summary>
    public static string? OwnerOf(Type grainInterface, GrainId grain)
    {
        var key = grain.Key.ToString()!;
        if (grainInterface == typeof(IAudioClipGrain))
            return AudioClipKey.Split(key).User is { Length: > 0 } user ? user : null;
        return SessionId.TryParse(key, out var session) ? session.UserId : null;
    }

    /// <summary>A timer's tick: it never comes over a wire.</summary>
    public static bool IsTimer(IInvokable request) => request.GetInterfaceType().FullName is "Orleans.Runtime.IGrainTimerInvoker";
}
