using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Session;

/// <summary>
/// Another state in place of this one: clear, import, restore. At one moment the old state becomes an entry of the history and
/// the new one takes its place; the next save stores both, the entry first. So it cannot starve under a busy writer, and a crash
/// before leaves all as it was.
/// </summary>
internal sealed partial class Session
{
    /// <summary>Saves, then loads the rows again.</summary>
    public async Task<FlushReply> RehydrateAsync()
    {
        LoadAgain("the session was loaded again");
        var failure = await Writer.FlushAsync();
        return new(Log.Epoch, Log.DurableRevision, failure);
    }

    public Task<FlushReply> ClearAsync(string? operation) => _operations.RunAsync(operation, () =>
    {
        if (ReadOnly is { } why) return Task.FromResult(new FlushReply(Log.Epoch, Log.DurableRevision, why));
        Replace(App.Initial, HistoryReason.BeforeClear, "before a clear", "the session was cleared", isCleared: true);
        return FlushAsync();
    });

    public Task<ImportReport> ImportAsync(ImportRequest request) => _operations.RunAsync(request.Operation, async () =>
    {
        var (state, report) = _setup.Config.App.Import(request, _setup.Migrations, _setup.Config.Partialize);
        if (ReadOnlyRejection is { } why) return report with { Refused = why };
        if (state is null || request.DryRun) return report;

        (state, var missing) = await _setup.WithStoredAudio(state);
        Replace(state, HistoryReason.BeforeImport, "before an import", "a state was imported");
        report = report with { Notes = [.. report.Notes, .. missing] };
        var flushed = await FlushAsync();
        return flushed.Failure is null
            ? report with { Revision = flushed.DurableRevision }
            : report with
            {
                Revision = Log.Revision,
                Notes = report.Notes.Add($"imported, but not saved yet; saving goes on: {flushed.Failure}"),
            };
    });

    /// <param name="id">Null is undo: the newest state from before it was replaced.</param>
    public Task<RecoveryReport> RestoreAsync(string? id, string? operation) =>
        _operations.RunAsync<RecoveryReport>(operation, async () =>
        {
            if (ReadOnlyRejection is { } readOnly) return new() { Refused = readOnly };
            var entry = (await History.ListAsync()).FirstOrDefault(each => id is null ? each.Reason.IsBefore() : each.Id == id);
            if (entry is null)
            {
                return new() { Refused = id is null
                    ? Rejection.OfText("history", null, "an entry from before a clear, import, restore, clean-up or expiry")
                    : Rejection.OfText("history", id, "the id of an entry") };
            }
            var (values, unreadable) = await ReadAsync(entry.Id);
            if (unreadable is not null)
            {
                return new()
                {
                    Refused = new("history", $"{entry.Id}, unreadable: {unreadable}", "an entry that this silo can read"),
                };
            }

            var (restored, missing) =
                await _setup.WithStoredAudio(values.Aggregate(App.Initial, (sum, each) => each.Slice.With(sum, each.Value)));
            // The other slices are those of now: nothing is awaited from here on.
            var state = values.Aggregate(Log.State, (sum, each) => each.Slice.With(sum, each.Slice.Get(restored)));
            var what =
                $"{(entry.Slices.Length == App.Stored.Count ? "the state" : string.Join(", ", entry.Slices))} "
                + $"of {entry.At:u}";
            Replace(state, HistoryReason.BeforeRestore, $"before restoring {what}", $"{what} ({entry.Detail}) was restored");
            var failure = (await FlushAsync()).Failure;
            return new() { Restored = [$"{what}, kept for: {entry.Detail}", .. missing], Unsaved = failure };
        });

    /// <summary>An entry with what it holds; null when there is none.</summary>
    public async Task<HistoryContent?> ReadHistoryAsync(string id)
    {
        if ((await History.ListAsync()).FirstOrDefault(each => each.Id == id) is not { } entry) return null;
        var rows = await History.ReadAsync(id) is { } bundle ? bundle.Rows : [];
        return new(entry.ToItem(),
            rows.Select(row => new HistoryRow(row.Name, row.Bytes, SliceFrame.TryReadBody(row.Bytes))).ToValueList());
    }

    /// <exception cref="ArgumentException">The session is read-only.</exception>
    public Task<bool> DropHistoryAsync(string id) =>
        ReadOnly is { } why ? throw new ArgumentException(why) : History.DropAsync(id);

    /// <summary>Keeps a state in the history. Stored by the next save.</summary>
    public void Keep(HistoryReason reason, string detail, SessionState state, long revision) =>
        History.Add(Rows.Bundle(reason, detail, state, revision));

    /// <summary>
    /// Another state in place of this one. Whatever is being written meanwhile, this is what is stored in the end.
    /// </summary>
    public void Replace(SessionState state, HistoryReason reason, string detail, string announced, bool isCleared = false)
    {
        // Clearing what is clear changes nothing: undo restores what was there before the first time.
        if (!isCleared || !IsInitial) Keep(reason, detail, Log.State, Log.Revision);
        Log.Replace(state, NewEpoch(), isCleared);
        Announce(announced);
    }

    private bool IsInitial => App.WithUnstored(Log.State, App.Initial).Equals(App.Initial);

    private async Task<(List<(SliceDefinition Slice, object Value)> Values, string? Unreadable)> ReadAsync(string id)
    {
        HistoryBundle? bundle;
        try
        {
            bundle = await History.ReadAsync(id);
        }
        catch (Exception damage) when (damage is FrameException or System.Text.Json.JsonException)
        {
            return ([], damage.Message);
        }
        if (bundle is null) return ([], "its bytes are not stored");
        var values = new List<(SliceDefinition, object)>();
        foreach (var (name, bytes) in bundle.Rows)
        {
            if (App.FindSlice(name) is not { IsStored: true } slice)
            {
                return ([], $"{name} is no slice that it knows");
            }
            var reading = Rows.Read(slice, bytes);
            if (reading.Outcome is not (null or CheckOutcome.Migrate)) return ([], $"{name}: {reading.Problem}");
            values.Add((slice, reading.Envelope.Value ?? slice.Get(App.Initial)));
        }
        return (values, null);
    }
}
