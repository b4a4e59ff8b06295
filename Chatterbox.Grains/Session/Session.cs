using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Chatterbox.Grains.Session;

/// <summary>What a session is made of and what it lives in.</summary>
internal sealed record SessionSetup(
    IGrainStorage Storage, GrainId Id, PersistConfig Config, MigrationChain Migrations, ChatterboxOptions Options,
    TimeProvider Clock, ILogger Logger)
{
    /// <summary>Tells the attached clients. Never waits, never throws.</summary>
    public required Action<long, SessionEvent> Publish { get; init; }

    /// <summary>
    /// Sets the one timer to call <see cref="Session.OnTimerAsync"/> once after so long, in place of whatever it was set to.
    /// </summary>
    public required Action<TimeSpan> Arm { get; init; }

    /// <summary>0 to 1: spreads the retries of many sessions.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    /// <summary>Whether a client has a lease.</summary>
    public Func<string, bool> IsAttached { get; init; } = _ => false;

    /// <summary>A state without the audio that is not stored any more, and what was changed, in words.</summary>
    public Func<SessionState, Task<(SessionState State, ValueList<string> Notes)>> WithStoredAudio { get; init; } = state =>
        Task.FromResult<(SessionState, ValueList<string>)>((state, []));
}

/// <summary>
/// A user's session, without Orleans: its state and how it came about (<see cref="SessionLog"/>), its rows
/// (<see cref="SessionStore"/>) and their history, when they are written (<see cref="WriteBehind"/>), and its clients' unfinished
/// work. For one activation's turns: whatever has to be atomic happens between two awaits.
/// </summary>
internal sealed partial class Session
{
    private readonly SessionSetup _setup;
    private readonly ILogger _logger;
    private readonly WorkInProgress _work;
    private readonly Operations _operations = new();
    private DateTimeOffset? _lastSaved;

    public Session(SessionSetup setup)
    {
        (_setup, _logger, _work) = (setup, setup.Logger, new(setup.Config.App));
        var (storage, id, config, migrations, options, clock, logger) = setup;
        Log = new(App, options.RecentChanges, clock);
        Rows = new(storage, id, config, migrations, options, clock, logger);
        Writer = new(new DebouncePolicy(config.WriteDelay ?? options.WriteDelay, config.MaxWriteDelay ?? options.MaxWriteDelay),
            new RetryPolicy(options.RetryDelay, options.MaxRetryDelay, setup.Jitter), clock, SaveAsync, setup.Arm);
        Writer.FailingChanged += () => Publish(new SaveStatusChanged(Save));
    }

    /// <summary>The app whose state it holds.</summary>
    public AppDefinition App => _setup.Config.App.Definition;

    public SessionLog Log { get; }

    public SessionStore Rows { get; }

    public WriteBehind Writer { get; }

    public History History => Rows.History;

    /// <summary>When a row was last written by this activation or the one that it came from.</summary>
    public DateTimeOffset? LastSaved => _lastSaved;

    /// <summary>Set when the session takes no changes, and why.</summary>
    public string? ReadOnly => Rows.ReadOnly is { } why ? $"read-only: {why}" : null;

    public SaveStatus Save => Writer.Failing is { } failing ? new(SaveState.Failing, failing.Since, failing.Reason)
        : Log.DurableRevision < Log.Revision ? SaveStatus.Saving
        : SaveStatus.Saved;

    private Rejection? ReadOnlyRejection => ReadOnly is { } why ? new("session", why, "writable") : null;

    /// <summary>
    /// Loads the rows. When this throws, nothing is known and nothing may be written over what could not be read.
    /// </summary>
    public async Task LoadAsync()
    {
        Log.Load(await Rows.LoadAsync(), NewEpoch());
        if (Rows.Recovery.Written is { } work) _work.Restore(work);
        if (Rows.NeedsSave || (ReadOnly is null && RemoveUnstored().Count > 0)) Writer.Changed();
    }

    /// <summary>
    /// Called before a client is attached. One that comes from an epoch that this activation never had may have seen what another
    /// activation has stored since this one was loaded: then the rows are loaded again, so that it sees no state without it.
    /// </summary>
    public async Task EnsureCurrentAsync(AttachRequest request)
    {
        if (request.Epoch == 0 || Log.Had(request.Epoch)) return;
        if (!Writer.IsIdle) await Writer.FlushAsync();
        await CheckRowsAsync();
        if (_loadAgain is not null) await Writer.FlushAsync();
    }

    /// <summary>Refuses a process that has attached the client before, when another has since.</summary>
    public Rejection? CheckAttach(AttachRequest request) =>
        request.Renews && Log.IsSuperseded(request.Client) ? RequestCheck.Superseded : null;

    /// <summary>A client arrives.</summary>
    public AttachReply Attach(AttachRequest request)
    {
        var client = request.Client.Client;
        if (Log.Attach(client, request.NextSequence, request.SeenRevision, request.Client.Process)) Writer.Changed();
        return new()
        {
            State = Log.Since(request.Epoch, request.SeenRevision, request.Slices),
            Applied = Log.AppliedOf(client),
            Notices = Rows.Notices.ToValueList(),
            ReadOnly = ReadOnly,
            Lease = _setup.Options.Lease,
            Protocol = Protocol.Version,
            Crash = Crash,
            SchemaVersion = _setup.Migrations.CurrentVersion,
        };
    }

    /// <summary>A client detaches. Returns once everything is durable or saving has failed.</summary>
    public async Task<FlushReply> DetachAsync(ClientId client, bool isDone)
    {
        if (Log.IsSuperseded(client)) return await FlushAsync();
        if (_work.Remove(each => each == client.Client) && !_work.Describe(Log.State).Equals(Rows.Recovery.Written))
            Writer.Changed();
        if (isDone) Log.Leave(client.Client);
        return await FlushAsync();
    }

    /// <summary>Takes a client's changes in, each on its own.</summary>
    public ApplyReply Apply(ChangeBatch batch)
    {
        var reply = new ApplyReply { Epoch = Log.Epoch, DurableRevision = Log.DurableRevision };
        if (RequestCheck.Of(batch, ReadOnly) is { } wrong) return reply with { Result = ApplyResult.Refused, Refused = wrong };
        if (batch.Process is { } process && Log.IsSuperseded(new(process, batch.Client)))
            return reply with { Result = ApplyResult.Superseded, Refused = RequestCheck.Superseded };
        if (batch.Epoch != Log.Epoch || !Log.Knows(batch.Client)) return reply with { Result = ApplyResult.OtherEpoch };
        if (batch.After >= Log.NextSequence(batch.Client)) return reply with { Result = ApplyResult.Gap };

        var from = Log.Revision;
        var outcomes = new ChangeOutcome[batch.Changes.Count];
        var taken = new List<AppliedChange>(outcomes.Length);
        for (var index = 0; index < outcomes.Length; index++)
        {
            outcomes[index] = Log.Apply(batch.Client, batch.Changes[index], out var applied);
            if (applied is null) continue;
            taken.Add(applied);
            _work.Note(batch.Client, applied.Change);
        }
        if (taken.Exists(applied => applied.Change.AddsItems)) taken.AddRange(RemoveUnstored());
        if (taken.Count > 0)
        {
            Writer.Changed();
            Publish(new ChangesApplied(from, Log.Revision, taken.ToValueList()));
        }
        return reply with { Outcomes = ValueList.Create<ChangeOutcome>(outcomes) };
    }

    /// <summary>Changes of the session's own making, told to every client.</summary>
    public void ApplyOwn(IEnumerable<SessionChange> changes)
    {
        var from = Log.Revision;
        var taken = changes.Select(Log.ApplyOwn).OfType<AppliedChange>().ToValueList();
        if (taken.Count == 0) return;
        Writer.Changed();
        Publish(new ChangesApplied(from, Log.Revision, taken));
    }

    public Task OnTimerAsync() => Writer.OnTimerAsync();

    /// <summary>Saves now what is unsaved at the call.</summary>
    public async Task<FlushReply> FlushAsync()
    {
        var failure = ReadOnly ?? await Writer.FlushAsync();
        return new(Log.Epoch, Log.DurableRevision, failure);
    }

    /// <summary>
    /// Saves, for the last time, with what rows need not remember any more. Null once it is durable, or why it is not.
    /// </summary>
    public Task<string?> SaveLastAsync()
    {
        if (Rows.HasStaleApplied(Log.Moment))
        {
            _saveApplied = true;
            Writer.Changed();
        }
        return Writer.FlushAsync();
    }

    /// <summary>What is done when there is nothing better to do. Its failure costs nothing but a copy.</summary>
    public async Task MaintainAsync()
    {
        try
        {
            if (Writer.IsIdle && Log.DurableRevision == Log.Revision) await Rows.RenewLastGoodAsync(Log.Moment);
        }
        catch (Exception failure)
        {
            LogNotMaintained(_setup.Id, failure.Message);
        }
    }

    public SessionImage Capture() => new()
    {
        Log = Log.Capture(),
        Store = Rows.Capture(),
        IsUnsaved = !Writer.IsIdle,
        Failing = Writer.Failing is { } failing ? new(SaveState.Failing, failing.Since, failing.Reason) : null,
        Work = _work.Describe(Log.State),
        Operations = _operations.Capture(),
        LastSaved = _lastSaved,
        LoadAgain = _loadAgain is not null,
    };

    /// <summary>
    /// Goes on where another activation stopped. False when this build has another schema: then the rows have to be loaded.
    /// </summary>
    public bool TryResume(SessionImage image)
    {
        if (!Rows.TryRestore(image.Store)) return false;
        Log.Restore(image.Log);
        _work.Restore(image.Work);
        _operations.Restore(image.Operations);
        _lastSaved = image.LastSaved;
        if (image.LoadAgain) LoadAgain("the session was to be loaded again as it moved");
        if (image.IsUnsaved)
        {
            Writer.Resume(image.Failing is { FailingSince: { } since } failing ? (since, failing.Failure ?? "") : null);
        }
        return true;
    }

    /// <summary>
    /// What the store does not keep leaves by changes that every client sees, before anything is stored without it.
    /// </summary>
    private List<AppliedChange> RemoveUnstored() => [.. _setup.Config.App
        .RemoveUnstored(Log.State, _setup.Config.Partialize(Log.State)).Select(Log.ApplyOwn).OfType<AppliedChange>()];

    /// <summary>Tells the attached clients.</summary>
    public void Publish(SessionEvent what) => _setup.Publish(Log.Epoch, what);

    [LoggerMessage(LogLevel.Warning, "The last good copy of session {Session} could not be renewed: {Reason}")]
    private partial void LogNotMaintained(GrainId session, string reason);
}
