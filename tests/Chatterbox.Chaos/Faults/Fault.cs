namespace Chatterbox.Chaos.Faults;

internal enum FaultKind
{
    /// <summary>SIGKILL; started again after the fault's length.</summary>
    KillSilo,

    /// <summary>SIGTERM; started again once it has ended.</summary>
    StopSilo,

    /// <summary>SIGSTOP, then SIGCONT.</summary>
    PauseSilo,

    /// <summary>SIGSTOP of the server and all its backends, then SIGCONT.</summary>
    PauseDatabase,

    /// <summary>What the silo sends does not arrive.</summary>
    Mute,

    /// <summary>What is sent to the silo does not arrive.</summary>
    Deaf,

    /// <summary>The silo's wall clock jumps, and jumps back.</summary>
    StepClock,

    /// <summary>SIGKILL of a client with its outbox on disk; started again after the fault's length.</summary>
    KillClient,
}

/// <summary>Whom a silo is cut off from.</summary>
internal enum CutScope
{
    Everybody,
    OneSilo,
    Database,
    Clients,
}

/// <summary>One fault of the schedule.</summary>
/// <param name="At">Since the start of the run.</param>
/// <param name="Target">The number of the silo or client; of the other silo in <paramref name="Peer"/>.</param>
internal sealed record Fault(
    FaultKind Kind, TimeSpan At, TimeSpan Length, int Target, CutScope Scope = CutScope.Everybody,
    int Peer = 0, TimeSpan Step = default)
{
    public override string ToString() => Kind switch
    {
        FaultKind.PauseDatabase => $"{Kind} for {Length.TotalSeconds:N1} s",
        FaultKind.Mute or FaultKind.Deaf when Scope is CutScope.OneSilo =>
            $"{Kind} of silo {Target} and silo {Peer} for {Length.TotalSeconds:N1} s",
        FaultKind.Mute or FaultKind.Deaf => $"{Kind} of silo {Target} and {Scope} for {Length.TotalSeconds:N1} s",
        FaultKind.StepClock => $"{Kind} of silo {Target} by {Step} for {Length.TotalSeconds:N1} s",
        FaultKind.KillClient => $"{Kind} {Target} for {Length.TotalSeconds:N1} s",
        _ => $"{Kind} {Target} for {Length.TotalSeconds:N1} s",
    };
}
