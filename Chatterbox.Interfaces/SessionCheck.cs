using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>Looks through the stored sessions, a page at a time. Reads only, and touches no session that is loaded.</summary>
[Alias("chatterbox.ISessionCheckGrain")]
public interface ISessionCheckGrain : IGrainWithIntegerKey
{
    /// <summary>What loading some of the stored sessions with this silo's build would come to.</summary>
    /// <param name="after">Where the page before ended: its <see cref="SessionCheckPage.Next"/>; null begins.</param>
    [Alias("Check")]
    Task<SessionCheckPage> CheckAsync(int? after);
}

/// <param name="Next">Where to go on; null when this was the last page.</param>
/// <param name="Progress">How much of the database has been looked through, 0 to 1.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionCheckPage")]
public sealed record SessionCheckPage(
    [property: Id(0)] SessionCheck Check, [property: Id(1)] int? Next, [property: Id(2)] double Progress);

/// <summary>What becomes of a stored row, or session, on loading.</summary>
[GenerateSerializer, Alias("chatterbox.CheckOutcome")]
public enum CheckOutcome
{
    /// <summary>Loads, and is brought to this build's schema.</summary>
    [JsonStringEnumMemberName("migrate")] Migrate = 0,

    /// <summary>The row cannot be read: its bytes are kept in the history, the slice starts from its last good copy or from defaults.</summary>
    [JsonStringEnumMemberName("unreadable")] Unreadable = 1,

    /// <summary>Stored by a newer build: the session is read-only.</summary>
    [JsonStringEnumMemberName("newer")] Newer = 2,

    /// <summary>The session cannot be opened: this build knows no store of its name.</summary>
    [JsonStringEnumMemberName("refuse")] Refuse = 3,
}

/// <param name="Sessions">Sessions with at least one such row.</param>
/// <param name="Example">The first of them, and what exactly is the matter.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.CheckFinding")]
public sealed record CheckFinding(
    [property: Id(0)] CheckOutcome Outcome,
    [property: Id(1)] string Reason,
    [property: Id(2)] long Sessions,
    [property: Id(3)] long Rows,
    [property: Id(4)] string Example);

/// <param name="Version">The schema version in the rows; null where a row does not say, or holds a cleared slice.</param>
[GenerateSerializer, Immutable, Alias("chatterbox.VersionCount")]
public readonly record struct VersionCount([property: Id(0)] int? Version, [property: Id(1)] long Rows);

/// <summary>Whether the stored sessions would load with a build, and what would happen to those that would not load as they are.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionCheck")]
public sealed record SessionCheck
{
    /// <summary>The schema version of the build that looked.</summary>
    [Id(0)] public int SchemaVersion { get; init; }

    [Id(1)] public long Sessions { get; init; }

    [Id(2)] public long Rows { get; init; }

    [Id(3)] public ValueList<VersionCount> Versions { get; init; } = [];

    [Id(4)] public ValueList<CheckFinding> Findings { get; init; } = [];

    /// <summary>Every session would open, show all its slices and take changes.</summary>
    public bool AllWouldLoad => Findings.All(finding => finding.Outcome is CheckOutcome.Migrate);

    /// <summary>Both together, of different sessions.</summary>
    public SessionCheck Plus(SessionCheck other) => this with
    {
        SchemaVersion = Math.Max(SchemaVersion, other.SchemaVersion),
        Sessions = Sessions + other.Sessions,
        Rows = Rows + other.Rows,
        Versions = Versions.Concat(other.Versions).GroupBy(each => each.Version)
            .Select(same => new VersionCount(same.Key, same.Sum(each => each.Rows))).OrderBy(each => each.Version ?? -1).ToValueList(),
        Findings = Findings.Concat(other.Findings).GroupBy(each => (each.Outcome, each.Reason))
            .Select(same => same.First() with { Sessions = same.Sum(each => each.Sessions), Rows = same.Sum(each => each.Rows) })
            .OrderBy(each => each.Outcome).ThenByDescending(each => each.Rows).ToValueList(),
    };

    /// <summary>A summary for people, a line each.</summary>
    public IEnumerable<string> Describe()
    {
        yield return Line("", "sessions", "rows");
        yield return Line($"looked at, with schema version {SchemaVersion}", Number(Sessions), Number(Rows));
        foreach (var (version, rows) in Versions) yield return Line(version is null ? "  of no version" : $"  of version {version}", "", Number(rows));
        foreach (var finding in Findings) yield return Line($"{Name(finding.Outcome)}: {finding.Reason}", Number(finding.Sessions), Number(finding.Rows));
        foreach (var finding in Findings.Where(finding => finding.Outcome is not CheckOutcome.Migrate)) yield return $"for example {finding.Example}";
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
