using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Persistence;

public sealed class QuarantineTests
{
    private static readonly byte[] Bytes = [1, 2, 3];
    private readonly MemoryStorage _storage = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private Quarantine New() => new(_storage, SessionDriver.Owner, _clock);

    [Fact(DisplayName = "[M2] the same bytes are kept once, others beside them, each with what it is and since when")]
    public async Task Kept_once()
    {
        var quarantine = New();
        Assert.Empty(await quarantine.ListAsync());
        await quarantine.KeepAsync("chunks", Bytes, QuarantineKind.Unreadable, "damaged");
        await quarantine.KeepAsync("chunks", Bytes, QuarantineKind.Unreadable, "damaged");
        await New().KeepAsync("preferences", [4], QuarantineKind.Migrated, "version 0");

        var kept = await New().ListAsync();
        Assert.Equal(new QuarantineEntry("039058c6f2c0cb49", "chunks", QuarantineKind.Unreadable, "damaged", _clock.GetUtcNow(), 3), kept[0]);
        Assert.Equal(("preferences", QuarantineKind.Migrated), (kept[1].Slice, kept[1].Kind));
        Assert.Equal(2, kept.Count);
        Assert.Equal(Bytes, await New().ReadAsync(kept[0].Id));
        Assert.Null(await New().ReadAsync("nobody"));
    }

    [Fact(DisplayName = "[M2] entries that two activations, or two calls, keep and drop at once are all there in the end")]
    public async Task At_once()
    {
        var (one, other) = (New(), New());
        await one.KeepAsync("a", [1], QuarantineKind.Unreadable, "");
        await one.ListAsync();
        await other.KeepAsync("b", [2], QuarantineKind.Unreadable, "");
        _storage.Slow = async _ => await Task.Yield();
        await Task.WhenAll(one.KeepAsync("c", [3], QuarantineKind.Unreadable, ""), one.KeepAsync("d", [4], QuarantineKind.Unreadable, ""),
            one.DropAsync((await New().ListAsync())[0].Id));
        // In whatever order.
        Assert.Equal(["b", "c", "d"], (await New().ListAsync()).Select(entry => entry.Slice).Order());
    }

    [Fact(DisplayName = "[M2] an entry that is dropped is gone with its bytes, also when that takes two attempts")]
    public async Task Dropped()
    {
        var quarantine = New();
        await quarantine.KeepAsync("a", Bytes, QuarantineKind.Unreadable, "");
        var id = (await quarantine.ListAsync()).Single().Id;
        Assert.False(await quarantine.DropAsync("nobody"));
        _storage.Fault = row => row == "quarantine" ? WriteFault.Before : WriteFault.None;
        await Assert.ThrowsAsync<IOException>(() => quarantine.DropAsync(id));
        _storage.Fault = null;
        Assert.True(await quarantine.DropAsync(id));
        Assert.Empty(await quarantine.ListAsync());
        Assert.Equal(["quarantine"], _storage.Rows);
    }

    [Fact(DisplayName = "[M2] bytes whose row was damaged meanwhile are written again")]
    public async Task Mended()
    {
        await New().KeepAsync("a", Bytes, QuarantineKind.Unreadable, "");
        _storage["quarantine-039058c6f2c0cb49"] = [9, 9];
        await New().KeepAsync("a", Bytes, QuarantineKind.Unreadable, "");
        Assert.Equal(Bytes, await New().ReadAsync("039058c6f2c0cb49"));
    }

    [Theory(DisplayName = "[P9] a storage that keeps saying no is an I/O error and never the storage's own, which would cost the activation")]
    [InlineData("quarantine")]
    [InlineData("quarantine-039058c6f2c0cb49")]
    public async Task Contention(string row)
    {
        _storage.Fault = name => name == row ? WriteFault.Stale : WriteFault.None;
        await Assert.ThrowsAsync<IOException>(() => New().KeepAsync("a", Bytes, QuarantineKind.Unreadable, ""));
        _storage.Fault = null;
        await New().KeepAsync("a", Bytes, QuarantineKind.Unreadable, "");
        _storage.Fault = name => name == row ? WriteFault.Stale : WriteFault.None;
        await Assert.ThrowsAsync<IOException>(() => New().DropAsync("039058c6f2c0cb49"));
    }

    [Fact(DisplayName = "[M2] an index that others keep changing is tried again; a list that cannot be read is kept under its name")]
    public async Task Index()
    {
        var tries = 0;
        _storage.Fault = name => name == "quarantine" && ++tries < 5 ? WriteFault.Stale : WriteFault.None;
        await New().KeepAsync("a", Bytes, QuarantineKind.Unreadable, "");
        Assert.Equal(5, tries);
        (_storage.Fault, _storage["quarantine"]) = (name => name == "quarantine" ? WriteFault.Stale : WriteFault.None, [7]);
        Assert.Equal($"The quarantine of {SessionDriver.Owner} is being written by others.",
            (await Assert.ThrowsAsync<IOException>(() => New().KeepAsync("a", Bytes, QuarantineKind.Unreadable, ""))).Message);
        _storage.Fault = null;
        await New().KeepAsync("a", Bytes, QuarantineKind.Unreadable, "");
        Assert.Equal([("quarantine", "the list of what is in quarantine"), ("a", "")], (await New().ListAsync()).Select(entry => (entry.Slice, entry.Reason)));
    }
}
