using System.Text.Json;
using Chatterbox.Grains.Audio;
using CsCheck;

namespace Chatterbox.Tests.Audio;

public sealed class LedgerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Now.AddHours(25);

    [Fact(DisplayName = "[A2] an upload is waited for, held by whoever refers to it, kept a while after the last has let go, and then due")]
    public void Life()
    {
        var ledger = AudioLedger.Empty.Admit("a", "h", 10, Now);
        Assert.Equal(Now, ledger.Find("h")!.Due);
        ledger = ledger.Hold("a", [new("h", 99)]).Hold("b", [new("h", 99)]);
        Assert.Null(ledger.NextDue);
        Assert.Equal(10, ledger.Find("h")!.Length);
        ledger = ledger.Release("a", ["h"], Later);
        Assert.Null(ledger.NextDue);
        ledger = ledger.Release("b", ["h"], Later);
        Assert.Equal(Later, ledger.NextDue);
        Assert.Empty(ledger.Expired(Now, forRoomIn: null, most: 10));
        Assert.Equal("h", Assert.Single(ledger.Expired(Later, forRoomIn: null, most: 10)).Hash);
        Assert.Equal("h", Assert.Single(ledger.Expired(Now, forRoomIn: "b", most: 10)).Hash);
        Assert.Empty(ledger.Expired(Now, forRoomIn: "a", most: 10));
    }

    [Fact(DisplayName = "[A2] who uploads a clip that others refer to is waited for, though they let go meanwhile")]
    public void An_upload_outlives_a_release()
    {
        var ledger = AudioLedger.Empty.Hold("a", [new("h", 10)]).Admit("a", "h", 10, Now.AddHours(1)).Release("a", ["h"], Now);
        Assert.Empty(ledger.Expired(Now, forRoomIn: "a", most: 10));
        Assert.Equal(1, ledger.UsageOf("a", Now).PendingClips);
    }

    [Fact(DisplayName = "[A2] what a ledger of a later build knows more of an entry survives this one")]
    public void Unknown_members_survive()
    {
        var read = JsonSerializer.Deserialize("""[{"hash":"h","owner":"a","stores":[],"length":1,"later":{"x":1}}]""", AudioJson.Default.ListLedgerEntry)!;
        var written = JsonSerializer.Serialize([.. AudioLedger.Of(read).Hold("a", [new("h", 1)]).Entries], AudioJson.Default.ListLedgerEntry);
        Assert.Contains("\"later\":{\"x\":1}", written, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[A2] [A3] whatever happens to a ledger, what is held is never due, each clip counts once for each store, and storing it changes nothing")]
    public void Random_histories() => Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[0, 1], Gen.Int[0, 40]).Array[0, 60].Sample(steps =>
    {
        var (ledger, holds, now) = (AudioLedger.Empty, new HashSet<(string, string)>(), Now);
        foreach (var (step, clip, number, hours) in steps)
        {
            var (hash, store) = ($"h{clip}", $"s{number}");
            switch (step)
            {
                case 0:
                    ledger = ledger.Admit(store, hash, 10, now.AddHours(1));
                    break;
                case 1:
                    ledger = ledger.Hold(store, [new(hash, 10)]);
                    holds.Add((store, hash));
                    break;
                case 2:
                    ledger = ledger.Release(store, [hash], now.AddHours(25));
                    holds.Remove((store, hash));
                    break;
                case 3:
                    now = now.AddHours(hours);
                    break;
                case 4:
                    // As a collection does it, with stores that refer to what they hold.
                    var expired = ledger.Expired(now, forRoomIn: number == 0 ? store : null, most: 2).Select(entry => entry.Hash).ToArray();
                    Assert.DoesNotContain(expired, each => holds.Any(hold => hold.Item2 == each));
                    ledger = ledger.Claim(expired).Remove(expired);
                    break;
                default:
                    ledger = ledger.Abandon(store: null, [hash], now);
                    break;
            }
            Assert.All(holds, hold => Assert.Contains(hold.Item1, ledger.Find(hold.Item2)!.Stores));
            foreach (var each in (string[])["s0", "s1"])
            {
                var usage = ledger.UsageOf(each, now);
                var counted = ledger.Entries.Where(entry => entry.IsHeld ? entry.Stores.Contains(each) : entry.Owner == each).ToArray();
                Assert.Equal(counted.Length, usage.ReferencedClips + usage.PendingClips + usage.UnreferencedClips);
                Assert.Equal(counted.Sum(entry => entry.Length), usage.TotalBytes);
                Assert.Equal(holds.Count(hold => hold.Item1 == each), usage.ReferencedClips);
            }
        }
        var json = JsonSerializer.Serialize([.. ledger.Entries], AudioJson.Default.ListLedgerEntry);
        var again = AudioLedger.Of(JsonSerializer.Deserialize(json, AudioJson.Default.ListLedgerEntry)!);
        Assert.Equal(json, JsonSerializer.Serialize([.. again.Entries.OrderBy(entry => json.IndexOf(entry.Hash, StringComparison.Ordinal))], AudioJson.Default.ListLedgerEntry));
    }, iter: 2000);
}
