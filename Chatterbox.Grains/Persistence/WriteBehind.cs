namespace Chatterbox.Grains.Persistence;

/// <summary>
/// Saves by itself: debounced, one write in flight, failed ones tried again with growing delays. Runs on its activation's turns
/// only; the timer that the grain lends it calls <see cref="OnTimerAsync"/>.
/// </summary>
/// <param name="save">Writes everything there is to write; throws when some of it could not be written.</param>
/// <param name="arm">Sets the one timer to fire once after so long, in place of whatever it was set to.</param>
internal sealed class WriteBehind(
    DebouncePolicy debounce, RetryPolicy retry, TimeProvider clock, Func<Task> save, Action<TimeSpan> arm)
{
    private readonly long _origin = clock.GetTimestamp();
    private Task _latest = Task.CompletedTask;

    /// <summary>Since when writes have been failing, and why; null while they succeed.</summary>
    public (DateTimeOffset Since, string Reason)? Failing { get; private set; }

    /// <summary>Raised on the activation's turn when <see cref="Failing"/> begins or ends.</summary>
    public event Action? FailingChanged;

    public bool IsIdle => InFlight is null && debounce.Due is null;

    private Task? InFlight => _latest.IsCompleted ? null : _latest;

    private TimeSpan Now => clock.GetElapsedTime(_origin);

    /// <summary>Something has changed that has to be saved.</summary>
    public void Changed()
    {
        debounce.Changed(Now);
        // While a write is under way its end arms the timer; while writes fail, the retry's delay stands.
        if (InFlight is null && Failing is null) ArmForDebounce();
    }

    /// <summary>Takes over, on another silo, what waited to be saved or could not be.</summary>
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
        // What is in flight may have been taken before the last changes, so it is not enough.
        if (InFlight is { } earlier) await earlier;
        if (InFlight is { } joined) await joined;
        else if (debounce.Due is not null) await WriteAsync();
        return Failing?.Reason;
    }

    /// <summary>
    /// Does not throw: it runs from timer callbacks, where an exception would cost the activation its unsaved state.
    /// </summary>
    private Task WriteAsync() => _latest = WriteOnceAsync();

    private async Task WriteOnceAsync()
    {
        var firstUnsaved = debounce.FirstUnsaved;
        debounce.Taken();
        // Lets the caller note the task before it can be over.
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
