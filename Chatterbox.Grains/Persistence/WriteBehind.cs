namespace Chatterbox.Grains.Persistence;

/// <summary>
/// Saves automatically: debounced, one write in flight, retries with growing delays. Runs only on its activation's scheduler; the
/// grain's timer calls <see cref="OnTimerAsync"/>.
/// </summary>
/// <param name="save">Writes all unsaved slices; throws when any could not be written.</param>
/// <param name="arm">Sets the timer to fire once after a delay, replacing its previous setting.</param>
internal sealed class WriteBehind(
    DebouncePolicy debounce, RetryPolicy retry, TimeProvider clock, Func<Task> save, Action<TimeSpan> arm)
{
    private readonly long _origin = clock.GetTimestamp();
    private Task _latest = Task.CompletedTask;

    /// <summary>The time of the first failed write and the reason; null while writes succeed.</summary>
    public (DateTimeOffset Since, string Reason)? Failing { get; private set; }

    /// <summary>Raised on the activation's turn when <see cref="Failing"/> begins or ends.</summary>
    public event Action? FailingChanged;

    public bool IsIdle => InFlight is null && debounce.Due is null;

    private Task? InFlight => _latest.IsCompleted ? null : _latest;

    private TimeSpan Now => clock.GetElapsedTime(_origin);

    /// <summary>Call after a change that must be saved.</summary>
    public void Changed()
    {
        debounce.Changed(Now);
        // During a write, its end arms the timer; while writes fail, the retry's delay applies.
        if (InFlight is null && Failing is null) ArmForDebounce();
    }

    /// <summary>Resumes pending and failed saves on another silo.</summary>
    public void Resume((DateTimeOffset Since, string Reason)? failing)
    {
        Failing = failing;
        debounce.Changed(Now);
        ArmForDebounce();
    }

    public Task OnTimerAsync() => InFlight ?? (debounce.Due is null ? Task.CompletedTask : WriteAsync());

    /// <summary>Saves now what is unsaved at the call. Returns null once it is durable, or why it is not.</summary>
    public async Task<string?> FlushAsync()
    {
        // A write in flight may not include the last changes, so another one is needed.
        if (InFlight is { } earlier) await earlier;
        if (InFlight is { } joined) await joined;
        else if (debounce.Due is not null) await WriteAsync();
        return Failing?.Reason;
    }

    /// <summary>
    /// Does not throw: it runs from timer callbacks, where an exception would lose the activation's unsaved state.
    /// </summary>
    private Task WriteAsync() => _latest = WriteOnceAsync();

    private async Task WriteOnceAsync()
    {
        var firstUnsaved = debounce.FirstUnsaved;
        debounce.Taken();
        // Yields so that the caller can store the task before it completes.
        await Task.Yield();
        try
        {
            await save();
            retry.Succeeded();
            if (firstUnsaved is { } first) ChatterboxInstruments.TimeToDurable.Record((Now - first).TotalSeconds);
            SetFailing(null);
            ArmForDebounce();
        }
        catch (Exception failure)
        {
            debounce.Changed(Now);
            ChatterboxInstruments.Retries.Add(1);
            SetFailing((Failing?.Since ?? clock.GetUtcNow(), failure.Message));
            arm(retry.Failed());
        }
    }

    private void ArmForDebounce()
    {
        if (debounce.Due is not { } due) return;
        var wait = due - Now;
        arm(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
    }

    private void SetFailing((DateTimeOffset, string)? value)
    {
        var changed = Failing is null != value is null;
        Failing = value;
        if (changed) FailingChanged?.Invoke();
    }
}
