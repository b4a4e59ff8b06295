using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos;

/// <summary>The verdict itself: it has to find what is wrong, and to accept what clients were not told.</summary>
public sealed class VerdictTests
{
    private const string Key = "chunk:c";

    private readonly Ledger _ledger = new();
    private readonly Dictionary<string, int> _numbers = [];

    [Fact(DisplayName = "a durable change that is missing is lost; one nobody was told of may be missing")]
    public void Lost()
    {
        Opened("reader/ada");
        Changed("a/ada", "1", begun: 1, durable: null);
        Assert.Empty(Final("reader/ada"));
        Changed("a/ada", "2", begun: 2, durable: 3);
        Assert.Equal([FindingKind.Lost], Final("reader/ada"));
        Shown("reader/ada", 4, "1");
        Assert.Equal([FindingKind.Lost], Final("reader/ada"));
        Shown("reader/ada", 5, "2");
        Assert.Empty(Final("reader/ada"));
    }

    [Fact(DisplayName = "a chunk that is there after its removal was durable is doubled, also where another client removed it")]
    public void Doubled()
    {
        Opened("reader/ada");
        Changed("a/ada", "1", begun: 1, durable: 2);
        Changed("b/ada", null, begun: 3, durable: 4);
        Assert.Empty(Final("reader/ada"));
        Shown("reader/ada", 5, "1");
        Assert.Equal([FindingKind.Doubled], Final("reader/ada"));
    }

    [Fact(DisplayName = "of two changes made at the same time either may be the last")]
    public void Concurrent()
    {
        Opened("reader/ada");
        Changed("a/ada", "1", begun: 1, durable: 4);
        Changed("b/ada", null, begun: 3, durable: 5);
        Assert.Empty(Final("reader/ada"));
        Shown("reader/ada", 6, "1");
        Assert.Empty(Final("reader/ada"));
    }

    [Fact(DisplayName = "states that differ are diverged")]
    public void Diverged()
    {
        Opened("a/ada");
        Opened("b/ada");
        foreach (var (store, hash) in (ReadOnlySpan<(string, string)>)[("a/ada", "12345678"), ("b/ada", "87654321")])
        {
            Say(Word.Reported, store, 1, hash);
        }
        Assert.Equal([FindingKind.Diverged], Verdict.OfEquality(_ledger.Views).Select(finding => finding.Kind));
        Say(Word.Reported, "b/ada", 2, "12345678");
        Assert.Empty(Verdict.OfEquality(_ledger.Views));
    }

    [Fact(DisplayName = "a durable change not shown for 15 s is unseen; the time of a fault and its grace does not count")]
    public void Unseen()
    {
        Opened("reader/ada");
        Changed("a/ada", "1", begun: 1, durable: 2);
        var disturbances = new Disturbances();
        Assert.Empty(Sight(disturbances, end: 16));
        Assert.Equal([FindingKind.Unseen], Sight(disturbances, end: 18));
        disturbances.Add(At(5), At(6));
        Assert.Empty(Sight(disturbances, end: 27));
        Assert.Equal([FindingKind.Unseen], Sight(disturbances, end: 30));
        Shown("reader/ada", 10, "1");
        Assert.Empty(Sight(disturbances, end: 60));
    }

    private void Opened(string store) => Say(Word.Opened, store, 0, Ledger.UserOf(store));

    private void Shown(string store, int at, string value) => Say(Word.Shows, store, at, Key, value);

    private void Changed(string store, string? value, int begun, int? durable)
    {
        var number = $"{_numbers[store] = _numbers.GetValueOrDefault(store) + 1}";
        Say(Word.Begun, store, begun, number, Key, value ?? "-");
        if (durable is { } at) Say(Word.Durable, store, at, number);
    }

    private void Say(Word word, string store, int at, params string[] rest) =>
        _ledger.Add(new(At(at), word, store, rest), keptOnDisk: false);

    private IEnumerable<FindingKind> Final(string store) =>
        Verdict.OfFinal(_ledger.Views.Single(view => view.Store == store), _ledger.Changes).Select(finding => finding.Kind);

    private IEnumerable<FindingKind> Sight(Disturbances disturbances, int end) =>
        Verdict.OfSight(_ledger.Views.Single(), _ledger.Changes, disturbances, At(end)).Select(finding => finding.Kind);

    private static TimeSpan At(int second) => TimeSpan.FromSeconds(second);
}
