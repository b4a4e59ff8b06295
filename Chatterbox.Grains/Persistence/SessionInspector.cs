namespace Chatterbox.Grains.Persistence;

/// <summary>Checks the outcome of loading stored sessions, with the code that loads them. Read-only.</summary>
public sealed class SessionInspector(IStoredRows stored, MigrationChain migrations, PersistConfigs configs)
{
    private const int RowsPerPage = 200;

    private static readonly string[] SliceNames = [.. SliceDefinition.All.Select(slice => slice.Name)];

    /// <summary>Checks all stored sessions.</summary>
    public async Task<SessionCheck> CheckAllAsync(IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var sum = new SessionCheck { SchemaVersion = migrations.CurrentVersion };
        int? after = null;
        do
        {
            var page = await CheckPageAsync(after, cancellationToken);
            sum = sum.Plus(page.Check);
            progress?.Report(page.Progress);
            after = page.Next;
        }
        while (after is not null);
        return sum;
    }

    public async Task<SessionCheckPage> CheckPageAsync(int? after, CancellationToken cancellationToken)
    {
        var page = await stored.ReadAsync(SliceNames, after, RowsPerPage, cancellationToken);
        var check = page.Rows.GroupBy(row => row.Key).Select(Check)
            .Aggregate(new SessionCheck { SchemaVersion = migrations.CurrentVersion }, (sum, each) => sum.Plus(each));
        return new(check, page.Next, page.Progress);
    }

    private SessionCheck Check(IGrouping<string, NamedRow> session)
    {
        var owner = GrainId.Create(UserSessionGrain.TypeName, session.Key);
        var isNamed = SessionId.TryParse(session.Key, out var id);
        var name = id?.ToString() ?? session.Key;
        var readings = session.Select(row => (Row: row, Reading: SliceReading.Of(
            owner, SliceDefinition.All.First(slice => slice.Name == row.Name), row.Bytes, migrations))).ToArray();
        var findings = readings.Where(each => each.Reading.Outcome is not null)
            .GroupBy(each => (Outcome: each.Reading.Outcome!.Value, each.Reading.Reason))
            .Select(same => new CheckFinding(same.Key.Outcome, same.Key.Reason, 1, same.Count(),
                $"{name}, {same.First().Row.Name}: {same.First().Reading.Problem}"));
        if (!isNamed || configs.Find(id!.Store) is null)
        {
            findings = [.. findings, new(CheckOutcome.Refuse, "its store is not registered", 1, readings.Length,
                $"{name}: registered are {string.Join(", ", configs.Names)}")];
        }
        return new()
        {
            SchemaVersion = migrations.CurrentVersion,
            Sessions = 1,
            Rows = readings.Length,
            Versions = readings.GroupBy(each => each.Reading.Version).Select(same => new VersionCount(same.Key, same.Count()))
                .ToValueList(),
            Findings = findings.ToValueList(),
        };
    }
}
