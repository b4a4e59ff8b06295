using System.Text;
using System.Text.Json;
using Chatterbox.Grains.Audio;
using Chatterbox.Grains.Persistence;
using CsCheck;

namespace Chatterbox.Tests.Audio;

public sealed class LedgerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ClipAges Ages = new(TimeSpan.FromHours(1), TimeSpan.FromHours(25));
    private static readonly IReadOnlySet<string> None = new HashSet<string>();

    [Fact(DisplayName =
        "[A2] an upload is due after the upload expiry, a referenced clip is looked at again after the grace period, a "
        + "dropped one goes after another")]
    public void Life()
    {
        var ledger = AudioLedger.Empty.Admit("a", new("h", 10), Now);
        Assert.Equal(Now + Ages.Upload, ledger.NextDue(Ages));
        Assert.Empty(ledger.Due(Now, Ages));
        ledger = ledger.Refer("b", [new("h", 99)], Now);
        Assert.Equal((Now + Ages.Unreferenced, 10), (ledger.NextDue(Ages), (int)ledger.Find("h")!.Length));

        var later = Now + Ages.Unreferenced;
        ledger = ledger.Found(ledger.Due(later, Ages), _ => ["b"], later);
        Assert.Equal((ClipMark.Referenced, later, "b"),
            (ledger.Find("h")!.Mark, ledger.Find("h")!.Seen, Assert.Single(ledger.Find("h")!.Stores)));

        later += Ages.Unreferenced;
        ledger = ledger.Drop(ledger.Due(later, Ages), later);
        Assert.Equal(later + Ages.Unreferenced, ledger.NextDue(Ages));
        ledger = ledger.Claim(ledger.Due(later + Ages.Unreferenced, Ages));
        Assert.True(ledger.NextDue(Ages) <= later);
        Assert.Null(ledger.Remove(["h"]).NextDue(Ages));
    }

    [Fact(DisplayName =
        "[A2] a clip that is admitted while it is being deleted stays listed, and a claim of what has changed since it was "
        + "looked at changes nothing")]
    public void Admitted_meanwhile()
    {
        var ledger = AudioLedger.Empty.Admit("a", new("h", 10), Now).Admit("a", new("i", 10), Now);
        var looked = ledger.Due(Now + Ages.Upload, Ages);
        var claimed = ledger.Claim(looked);
        Assert.Equal(["h", "i"], claimed.Deleting([new("h", 1), new("i", 1), new("j", 1)]));

        var admitted = claimed.Admit("b", new("h", 10), Now).Remove(["h", "i"]);
        Assert.Equal("h", Assert.Single(admitted.Entries).Hash);
        Assert.Equal(ClipMark.Uploaded, admitted.Find("h")!.Mark);

        // Uploaded again, it is waited for, and keeps its grace period.
        var again = ledger.Refer("b", [new("h", 10)], Now).Admit("b", new("h", 10), Now).Find("h")!;
        Assert.Equal((ClipMark.Uploaded, true, false), (again.Mark, again.HasGrace, ledger.Find("h")!.HasGrace));

        var changed = ledger.Refer("b", [new("h", 10)], Now);
        Assert.Equal(ClipMark.Referenced, changed.Claim(looked).Find("h")!.Mark);
        Assert.Equal(ClipMark.Deleting, changed.Claim(looked).Find("i")!.Mark);
        Assert.Equal(ClipMark.Referenced, changed.Drop(looked, Now).Find("h")!.Mark);
        Assert.Equal((ClipMark.Uploaded, Now.AddDays(1)),
            (claimed.Keep(["h"], Now.AddDays(1)).Find("h")!.Mark, claimed.Keep(["h"], Now.AddDays(1)).Find("h")!.Seen));
    }

    [Fact(DisplayName =
        "[A4] for room a store can do without what it no longer refers to, but not without an upload that may still be "
        + "referred to, nor with clips of others")]
    public void Spare()
    {
        var ledger = AudioLedger.Empty.Admit("a", new("fresh", 1), Now).Admit("a", new("expired", 2), Now - Ages.Upload)
            .Refer("a", [new("used", 4), new("dropped", 8)], Now).Refer("b", [new("other", 16), new("dropped", 8)], Now);
        var used = new HashSet<string> { "used" };

        Assert.Equal(["expired", "dropped"], ledger.Spare("a", used, Now, Ages).Select(entry => entry.Hash));
        Assert.Equal(["other", "dropped"], ledger.Spare("b", None, Now, Ages).Select(entry => entry.Hash)
            .OrderByDescending(hash => hash));
        Assert.Equal(new AudioStorage { ReferencedClips = 1, ReferencedBytes = 4, PendingClips = 1, PendingBytes = 1,
            UnreferencedClips = 2, UnreferencedBytes = 10 },
            ledger.UsageOf("a", [new("used", 4)], Now, Ages));
        // What the ledger has lost still counts where it is referred to.
        Assert.Equal(4, AudioLedger.Empty.UsageOf("a", [new("used", 4), new("used", 4)], Now, Ages).TotalBytes);
    }

    [Fact(DisplayName =
        "[A2] [M3] what a newer build knows of an entry survives, and its ledger is recognised; damage is told apart")]
    public void Stored_form()
    {
        const string Seen = "\"seen\":\"2026-01-01T00:00:00Z\"";
        var read = AudioLedger.Decode(Frame($$$"""[{"hash":"h","stores":["a"],{{{Seen}}},"mark":"dropped","later":{"x":1}}]"""))!;
        var (_, body) = SliceFrame.Decode(read.Admit("b", new("h", 1), Now).Encode());
        Assert.Contains("\"later\":{\"x\":1}", Encoding.UTF8.GetString(body.Span), StringComparison.Ordinal);

        Assert.Null(AudioLedger.Decode(Frame("{}", AudioLedger.Version + 1)));
        string[] damages =
        [
            """[{"hash":"h"}]""", "[null]", $$"""[{"hash":"h",{{Seen}},"length":-1}]""",
            $$"""[{"hash":"h",{{Seen}}},{"hash":"h",{{Seen}}}]""",
        ];
        foreach (var damage in damages)
        {
            var failure = Assert.ThrowsAny<Exception>(() => AudioLedger.Decode(Frame(damage)));
            Assert.True(SessionStore.IsDamage(failure), failure.ToString());
        }

        static byte[] Frame(string json, int version = AudioLedger.Version) =>
            SliceFrame.Encode(Encoding.UTF8.GetBytes(json), version, 1024);
    }

    [Fact(DisplayName =
        "[A2] [A3] whatever happens to a ledger, a sweep removes no clip that is referred to and none before its time, each "
        + "clip counts once for each store, and storing it changes nothing")]
    public void Random_histories() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 3], Gen.Int[0, 1], Gen.Int[0, 40]).Array[0, 60].Sample(steps =>
    {
        var (ledger, uses, now) = (AudioLedger.Empty, new HashSet<(string Store, string Hash)>(), Now);
        var (lastUse, lastUpload) = (new Dictionary<string, DateTimeOffset>(), new Dictionary<string, DateTimeOffset>());
        foreach (var (step, clip, number, hours) in steps)
        {
            var (hash, store) = ($"h{clip}", $"s{number}");
            foreach (var use in uses) lastUse[use.Hash] = now;
            switch (step)
            {
                case 0:
                    var references = uses.Where(use => use.Store == store).Select(use => new ClipUse(use.Hash, 10));
                    ledger = ledger.Refer(store, references, now).Admit(store, new(hash, 10), now);
                    lastUpload[hash] = now;
                    break;
                // A clip that was dropped is uploaded again before anything refers to it.
                case 1 when ledger.Find(hash) is { Mark: not ClipMark.Dropped }:
                    uses.Add((store, hash));
                    lastUse[hash] = now;
                    break;
                case 2:
                    uses.Remove((store, hash));
                    break;
                case 3:
                    now = now.AddHours(hours);
                    break;
                case 4:
                    var due = ledger.Due(now, Ages).Take(2).ToArray();
                    var referenced = due.Where(entry => uses.Any(use => use.Hash == entry.Hash)).ToArray();
                    var dropped = due.Except(referenced).Where(entry => entry.HasGrace).ToArray();
                    var doomed = due.Except(referenced).Except(dropped).ToArray();
                    ledger = ledger.Found(referenced, of => uses.Where(use => use.Hash == of).Select(use => use.Store), now)
                        .Drop(dropped, now).Claim(doomed);
                    Assert.All(doomed, entry => Assert.True(now - lastUpload[entry.Hash] >= Ages.Upload));
                    Assert.All(doomed.Where(entry => entry.Mark is ClipMark.Dropped), entry =>
                        Assert.True(now - lastUse[entry.Hash] >= Ages.Unreferenced));
                    ledger = ledger.Remove(doomed.Select(entry => entry.Hash));
                    break;
                default:
                    // A silo dies with claims in the row.
                    ledger = ledger.Claim(ledger.Due(now, Ages).Take(1)
                        .Where(entry => uses.All(use => use.Hash != entry.Hash) && !entry.HasGrace));
                    break;
            }
            Assert.All(uses, use => Assert.NotNull(ledger.Find(use.Hash)));
            foreach (var each in (string[])["s0", "s1"])
            {
                var own = uses.Where(use => use.Store == each).Select(use => new ClipUse(use.Hash, 10)).ToArray();
                var usage = ledger.UsageOf(each, own, now, Ages);
                var counted = ledger.Entries.Count(entry => entry.Stores.Contains(each)
                    || own.Any(use => use.Hash == entry.Hash));
                Assert.Equal((counted, own.Length),
                    (usage.ReferencedClips + usage.PendingClips + usage.UnreferencedClips, usage.ReferencedClips));
                Assert.Equal(10 * counted, usage.TotalBytes);
                Assert.Equal(usage.UnreferencedClips,
                    ledger.Spare(each, own.Select(use => use.Hash).ToHashSet(), now, Ages).Count);
            }
        }
        var again = AudioLedger.Decode(ledger.Encode())!;
        Assert.Equal(Json(ledger), Json(again));
    }, iter: 2000);

    private static string Json(AudioLedger ledger) =>
        JsonSerializer.Serialize([.. ledger.Entries.OrderBy(entry => entry.Hash, StringComparer.Ordinal)],
            AudioJson.Default.ListLedgerEntry);
}
