using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Persistence;

public sealed class HistoryTests
{
    private readonly MemoryStorage _storage = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private History New(int entries = 10) => new(_storage, SessionDriver.Owner, new(entries, TimeSpan.FromDays(90)), _clock);

    [Fact(DisplayName =
        "[H1] an entry is kept with its bytes, its reason, its slices and its time; the same rows are kept "
        + "once for a reason, as the newest")]
    public async Task Kept_once()
    {
        Assert.Empty(await New().ListAsync());
        await New().KeepAsync(Unreadable(1, 2, 3));
        await New().KeepAsync(Bundle(HistoryReason.BeforeMigration, "version 0", 4));
        _clock.Advance(TimeSpan.FromSeconds(1));
        await New().KeepAsync(Unreadable(1, 2, 3));
        await New().KeepAsync(Bundle(HistoryReason.Overtaken, "late", 1, 2, 3));

        var kept = await New().ListAsync();
        Assert.Equal([HistoryReason.Overtaken, HistoryReason.Unreadable, HistoryReason.BeforeMigration],
            kept.Select(entry => entry.Reason));
        Assert.Equal(("damaged", 3, 1, _clock.GetUtcNow(), "chunks"),
            (kept[1].Detail, kept[1].Length, kept[1].SchemaVersion, kept[1].At, kept[1].Slices.Single()));
        Assert.Equal([1, 2, 3], (await New().ReadAsync(kept[1].Id))!.Rows.Single().Bytes);
        Assert.Null(await New().ReadAsync("nobody"));
        Assert.Equal(new("id", "unreadable", "d", ["a", "b"], _clock.GetUtcNow(), 3, 1),
            new HistoryEntry("id", 0, HistoryReason.Unreadable, "d", ["a", "b"], _clock.GetUtcNow(), 3, 1, 7).ToItem());
    }

    [Fact(DisplayName = "[H1] entries that two activations, or two calls, keep and drop at once are all there in the end")]
    public async Task At_once()
    {
        var (one, other) = (New(), New());
        await one.KeepAsync(Unreadable(1));
        await one.ListAsync();
        await other.KeepAsync(Unreadable(2));
        _storage.Slow = async _ => await Task.Yield();
        await Task.WhenAll(one.KeepAsync(Unreadable(3)), one.KeepAsync(Unreadable(4)), one.DropAsync(Unreadable(1).Id));
        foreach (byte value in (byte[])[2, 3, 4])
        {
            Assert.Equal([value], (await New().ReadAsync(Unreadable(value).Id))!.Rows.Single().Bytes);
        }
        Assert.Equal(3, (await New().ListAsync()).Count);
    }

    [Fact(DisplayName =
        "[H1] each group keeps its latest entries, and their rows are used again; unreadable ones are not counted out")]
    public async Task Bounded()
    {
        var history = New(entries: 2);
        for (byte value = 0; value < 20; value++)
        {
            foreach (var reason in Enum.GetValues<HistoryReason>())
            {
                await history.KeepAsync(Bundle(reason, "", value, (byte)reason));
            }
            _clock.Advance(TimeSpan.FromSeconds(1));
        }
        var kept = await New(entries: 2).ListAsync();
        Assert.Equal(20, kept.Count(entry => entry.Reason is HistoryReason.Unreadable));
        Assert.Equal(1, kept.Count(entry => entry.Reason is HistoryReason.LastGood));
        Assert.Equal(2, kept.Count(entry => entry.Reason is HistoryReason.BeforeMigration));
        Assert.Equal(2, kept.Count(entry => entry.Reason is HistoryReason.Overtaken));
        Assert.Equal(2, kept.Count(entry => entry.Reason.IsBefore()));
        Assert.Equal(kept.Count, _storage.Rows.Count(row => row.StartsWith("history-", StringComparison.Ordinal)));
        foreach (var entry in kept) Assert.NotNull(await New().ReadAsync(entry.Id));
    }

    [Fact(DisplayName = "[H3] a history full of unreadable rows takes no more of them, and says what helps; none is lost for it")]
    public async Task Full()
    {
        for (byte value = 0; value < HistoryRetention.MostUnreadable; value++) await New().KeepAsync(Unreadable(value));
        var refusal = await Assert.ThrowsAsync<IOException>(() => New().KeepAsync(Unreadable(200)));
        Assert.Contains("history drop", refusal.Message, StringComparison.Ordinal);
        await New().KeepAsync(Unreadable(0));
        await New().KeepAsync(Bundle(HistoryReason.BeforeClear, "", 1));
        Assert.True(await New().DropAsync(Unreadable(3).Id));
        await New().KeepAsync(Unreadable(200));
        Assert.Equal(HistoryRetention.MostUnreadable,
            (await New().ListAsync()).Count(entry => entry.Reason is HistoryReason.Unreadable));
    }

    [Fact(DisplayName = "[H1] entries leave by age, but for the last good copy")]
    public async Task Aged()
    {
        foreach (var reason in Enum.GetValues<HistoryReason>()) await New().KeepAsync(Bundle(reason, "", (byte)reason));
        _clock.Advance(TimeSpan.FromDays(90));
        Assert.Equal(9, (await New().ListAsync()).Count);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal([HistoryReason.LastGood], (await New().ListAsync()).Select(entry => entry.Reason));
        // Their rows go with the next entry.
        await New().KeepAsync(Unreadable(9));
        Assert.Equal(2, _storage.Rows.Count(row => row.StartsWith("history-", StringComparison.Ordinal)));
    }

    [Fact(DisplayName = "[H2] an entry that is dropped is gone with its bytes, also when that takes two attempts")]
    public async Task Dropped()
    {
        var history = New();
        await history.KeepAsync(Unreadable(1));
        Assert.False(await history.DropAsync("nobody"));
        _storage.Fault = row => row == "history" ? WriteFault.Before : WriteFault.None;
        await Assert.ThrowsAsync<IOException>(() => history.DropAsync(Unreadable(1).Id));
        _storage.Fault = null;
        Assert.True(await history.DropAsync(Unreadable(1).Id));
        Assert.Empty(await history.ListAsync());
        Assert.Equal(["history"], _storage.Rows);
    }

    [Fact(DisplayName =
        "[P11] what is added is listed and can be read at once, and stored in order by the next save; what "
        + "fails is stored by the one after")]
    public async Task Pending()
    {
        var history = New(entries: 2);
        await history.KeepAsync(Bundle(HistoryReason.BeforeClear, "stored", 1));
        history.Add(Bundle(HistoryReason.BeforeImport, "first", 2));
        history.Add(Unreadable(3));
        Assert.Equal(["damaged", "first", "stored"], (await history.ListAsync()).Select(entry => entry.Detail));
        Assert.Equal([3], (await history.ReadAsync(Unreadable(3).Id))!.Rows.Single().Bytes);
        _storage.Fault = row => row == "history-2" ? WriteFault.After : WriteFault.None;
        await Assert.ThrowsAsync<TimeoutException>(history.SaveAsync);
        Assert.True(history.HasPending);
        _storage.Fault = null;
        await history.SaveAsync();
        Assert.False(history.HasPending);
        Assert.Equal(["damaged", "first", "stored"], (await New(entries: 2).ListAsync()).Select(entry => entry.Detail));

        // While nothing can be stored, memory holds no more than storage would.
        for (byte value = 0; value < 9; value++) history.Add(Bundle(HistoryReason.BeforeClear, $"{value}", value));
        Assert.Equal(["7", "8"], history.Pending.Select(each => each.Detail));
        Assert.True(await history.DropAsync(history.Pending[0].Id));
        Assert.Equal(["8"], history.Pending.Select(each => each.Detail));
    }

    [Theory(DisplayName =
        "[H1] a crash between the two writes of an entry leaves the others readable, and the entry is kept by the next attempt")]
    [InlineData("history")]
    [InlineData("history-1")]
    public async Task Crashes(string row)
    {
        await New().KeepAsync(Unreadable(1));
        foreach (var fault in (WriteFault[])[WriteFault.Before, WriteFault.After, WriteFault.Late])
        {
            _storage.Fault = name => name == row ? fault : WriteFault.None;
            await Assert.ThrowsAnyAsync<Exception>(() => New().KeepAsync(Unreadable(2)));
            _storage.Fault = null;
            Assert.Equal([1], (await New().ReadAsync(Unreadable(1).Id))!.Rows.Single().Bytes);
            Assert.True(await New().ReadAsync(Unreadable(2).Id) is null or { Rows: [{ Bytes: [2] }] });
            await New().KeepAsync(Unreadable(2));
            Assert.Equal([2], (await New().ReadAsync(Unreadable(2).Id))!.Rows.Single().Bytes);
            Assert.True(await New().DropAsync(Unreadable(2).Id));
        }
    }

    [Theory(DisplayName =
        "[P9] a storage that keeps saying no is an I/O error and never the storage's own, which would cost the activation")]
    [InlineData("history")]
    [InlineData("history-0")]
    public async Task Contention(string row)
    {
        _storage.Fault = name => name == row ? WriteFault.Stale : WriteFault.None;
        await Assert.ThrowsAsync<IOException>(() => New().KeepAsync(Unreadable(1)));
        _storage.Fault = null;
        await New().KeepAsync(Unreadable(1));
        _storage.Fault = name => name == row ? WriteFault.Stale : WriteFault.None;
        await Assert.ThrowsAsync<IOException>(() => New().DropAsync(Unreadable(1).Id));
    }

    [Fact(DisplayName = "[A4] room is made by the oldest entries first, and never by unreadable rows")]
    public async Task Freed()
    {
        await New().KeepAsync(Unreadable(1));
        await New().KeepAsync(Bundle(HistoryReason.BeforeClear, "older", 1, 2));
        await New().KeepAsync(Bundle(HistoryReason.BeforeClear, "newer", 1, 2, 3));
        var history = New();
        Assert.Null(history.Bytes);
        Assert.Equal(2, await history.FreeAsync());
        Assert.Equal((4, 3), (history.Bytes, history.FreeableBytes));
        Assert.Equal(3, await history.FreeAsync());
        Assert.Equal(0, await history.FreeAsync());
        Assert.Equal(["damaged"], (await history.ListAsync()).Select(entry => entry.Detail));
    }

    [Fact(DisplayName = "[I1] an entry of another session is not taken for one's own")]
    public async Task Others()
    {
        await New().KeepAsync(Unreadable(1));
        var theirs =
            new History(_storage, GrainId.Create("chatterbox.session", "bob/app-state"), HistoryRetention.Of(new()), _clock);
        await Assert.ThrowsAsync<System.Text.Json.JsonException>(() => theirs.ReadAsync(Unreadable(1).Id));
    }

    private HistoryBundle Unreadable(params byte[] bytes) => Bundle(HistoryReason.Unreadable, "damaged", bytes);

    private HistoryBundle Bundle(HistoryReason reason, string detail, params byte[] bytes) =>
        new(reason, detail, _clock.GetUtcNow(), SchemaVersion: 1, Revision: 7, [new("chunks", bytes)]);
}
