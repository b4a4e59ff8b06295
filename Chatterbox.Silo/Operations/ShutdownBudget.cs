namespace Chatterbox.Silo.Operations;

/// <summary>
/// How long a silo that is asked to stop may take. One constant, <see cref="Drain"/>, from which everything around it follows:
/// the host's
/// shutdown timeout here, and preStop and the grace period in <c>deploy/k8s</c>, which a test holds against these.
/// </summary>
public static class ShutdownBudget
{
    /// <summary>Handing sessions over to other silos, and saving those that cannot be.</summary>
    public static readonly TimeSpan Drain = TimeSpan.FromSeconds(45);

    /// <summary>Leaving the cluster and closing connections, after the sessions are gone.</summary>
    private static readonly TimeSpan Leave = TimeSpan.FromSeconds(15);

    /// <summary>From the stop signal until the process gives up waiting for itself.</summary>
    public static readonly TimeSpan Host = Drain + Leave;

    /// <summary>Before the stop signal: until load balancers and clients have seen that the silo is going.</summary>
    public static readonly TimeSpan PreStop = TimeSpan.FromSeconds(5);

    /// <summary>From the start of preStop until the process is killed.</summary>
    public static readonly TimeSpan Grace = PreStop + Host + TimeSpan.FromSeconds(25);
}
