using System.Globalization;
using Chatterbox.Chaos.Faults;
using Chatterbox.Chaos.Ledgers;

namespace Chatterbox.Chaos;

/// <summary>What a run did and found, as a table.</summary>
internal static class Report
{
    private const int MostShown = 20;

    public static void Print(string title, IReadOnlyList<(string Name, string Value)> numbers, IReadOnlyList<Finding> findings)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        foreach (var (name, value) in numbers) Console.WriteLine($"  {name,-32} {value,10}");
        foreach (var kind in Enum.GetValues<FindingKind>())
        {
            var found = findings.Where(finding => finding.Kind == kind).DistinctBy(finding => finding.Subject).Count();
            Console.WriteLine($"  {NameOf(kind),-32} {found,10}");
        }
        var subjects = findings.DistinctBy(finding => (finding.Kind, finding.Subject)).ToArray();
        foreach (var finding in subjects.Take(MostShown)) Console.WriteLine($"  ! {NameOf(finding.Kind)}: {finding.What}");
        if (subjects.Length > MostShown) Console.WriteLine($"  ! and {subjects.Length - MostShown} more");
    }

    public static IEnumerable<(string, string)> Of(IReadOnlyList<Change> changes) =>
    [
        ("changes made", Text(changes.Count)),
        ("acknowledged applied", Text(changes.Count(change => change.Applied is not null))),
        ("acknowledged durable", Text(changes.Count(change => change.Durable is not null))),
        ("removals acknowledged durable", Text(changes.Count(change => change is { Value: null, Durable: not null }))),
        ("refused", Text(changes.Count(change => change.Refused is not null))),
        ("outcome unknown", Text(changes.Count(change => change is { IsPromised: false, Refused: null }))),
    ];

    public static IEnumerable<(string, string)> Of(IEnumerable<Fault> faults) =>
        faults.GroupBy(fault => fault.Kind).OrderBy(kind => kind.Key).Select(kind => ($"faults: {kind.Key}", Text(kind.Count())));

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string NameOf(FindingKind kind) => kind switch
    {
        FindingKind.Unseen => $"unseen > {Verdict.UnseenBound.TotalSeconds:N0} s",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
