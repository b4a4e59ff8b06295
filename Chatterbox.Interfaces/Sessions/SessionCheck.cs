using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>Checks the stored sessions, a page at a time. Read-only; does not affect loaded sessions.</summary>
[Alias("chatterbox.ISessionCheckGrain")]
public interface ISessionCheckGrain : IGrainWithIntegerKey
{
    /// <summary>The outcome of loading a page of the stored sessions with this silo's build.</summary>
    /// <param name="after">The previous page's <see cref="SessionCheckPage.Next"/>; null starts.</param>
    [Alias("Check")]
    Task<SessionCheckPage> CheckAsync(int? after);
}

/// <param name="Next">The start of the next page; null after the last page.</param>
/// <param name="Progress">The checked fraction of the database, 0 to 1.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionCheckPage")]
public sealed record SessionCheckPage(
    [property: Id(0)] SessionCheck Check, [property: Id(1)] int? Next, [property: Id(2)] double Progress);

/// <summary>The outcome of loading a stored row or session.</summary>
[GenerateSerializer, Alias("chatterbox.CheckOutcome")]
public enum CheckOutcome
{
    /// <summary>Loads, and is migrated to this build's schema.</summary>
    [JsonStringEnumMemberName("migrate")] Migrate = 0,

    /// <summary>
    /// The row cannot be read: its bytes are kept in the history, the slice starts from its last good copy or from defaults.
    /// </summary>
    [JsonStringEnumMemberName("unreadable")] Unreadable = 1,

    /// <summary>Stored by a newer build: the session is read-only.</summary>
    [JsonStringEnumMemberName("newer")] Newer = 2,

    /// <summary>The session cannot be opened: its store is not registered in this build.</summary>
    [JsonStringEnumMemberName("refuse")] Refuse = 3,
}

/// <param name="Sessions">Sessions with at least one such row.</param>
/// <param name="Example">The first of them, and its exact problem.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.CheckFinding")]
public sealed record CheckFinding(
    [property: Id(0)] CheckOutcome Outcome,
    [property: Id(1)] string Reason,
    [property: Id(2)] long Sessions,
    [property: Id(3)] long Rows,
    [property: Id(4)] string Example);

/// <param name="Version">The schema version in the rows; null if the row does not state it, or holds a cleared slice.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.VersionCount")]
public readonly record struct VersionCount([property: Id(0)] int? Version, [property: Id(1)] long Rows);

/// <summary>
/// Whether the stored sessions would load with a build, and the outcome for those that would not load unchanged.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionCheck")]
public sealed record SessionCheck
{
    /// <summary>The schema version of the checking build.</summary>
    [Id(0)] public int SchemaVersion { get; init; }

    [Id(1)] public long Sessions { get; init; }

    [Id(2)] public long Rows { get; init; }

    [Id(3)] public ValueList<VersionCount> Versions { get; init; } = [];

    [Id(4)] public ValueList<CheckFinding> Findings { get; init; } = [];

    /// <summary>Every session would open, show all its slices and accept changes.</summary>
    public bool AllWouldLoad => Findings.All(finding => finding.Outcome is CheckOutcome.Migrate);

    /// <summary>Adds up two checks of different sessions.</summary>
    public SessionCheck Plus(SessionCheck other) => this with
    {
        SchemaVersion = Math.Max(SchemaVersion, other.SchemaVersion),
        Sessions = Sessions + other.Sessions,
        Rows = Rows + other.Rows,
        Versions = Versions.Concat(other.Versions).GroupBy(each => each.Version)
            .Select(same => new VersionCount(same.Key, same.Sum(each => each.Rows))).OrderBy(each => each.Version ?? -1)
            .ToValueList(),
        Findings = Findings.Concat(other.Findings).GroupBy(each => (each.Outcome, each.Reason))
            .Select(same => same.First() with { Sessions = same.Sum(each => each.Sessions), Rows = same.Sum(each => each.Rows) })
            .OrderBy(each => each.Outcome).ThenByDescending(each => each.Rows).ToValueList(),
    };

    /// <summary>A summary for people, a line each.</summary>
    public IEnumerable<string> Describe()
    {
        yield return Line("", "sessions", "rows");
        yield return Line($"looked at, with schema version {SchemaVersion}", Number(Sessions), Number(Rows));
        foreach (var (version, rows) in Versions)
            yield return Line(version is null ? "  of no version" : $"  of version {version}", "", Number(rows));
        foreach (var finding in Findings)
            yield return Line($"{Name(finding.Outcome)}: {finding.Reason}", Number(finding.Sessions), Number(finding.Rows));
        foreach (var finding in Findings.Where(finding => finding.Outcome is not CheckOutcome.Migrate))
            yield return $"for example {finding.Example}";
        yield return AllWouldLoad ? "Every stored session would load." : "Not every stored session would load.";
    }

    /// <summary>The same for scripts.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ChatterboxJson.Readable.SessionCheck);

    private static string Line(string what, string sessions, string rows) => $"{what,-60} {sessions,12} {rows,12}".TrimEnd();

    private static string Number(long count) => count.ToString(CultureInfo.InvariantCulture);

    private static string Name(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Migrate => "would be migrated",
        CheckOutcome.Unreadable => "is unreadable",
        CheckOutcome.Newer => "would be read-only",
        _ => "would not open",
    };
}
