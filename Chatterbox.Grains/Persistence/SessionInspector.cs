namespace Chatterbox.Grains.Persistence;

/// <summary>Checks the outcome of loading stored sessions, with the code that loads them. Read-only.</summary>
public sealed class SessionInspector(IStoredRows stored, MigrationChains migrations, PersistConfigs configs)
{
    private const int RowsPerPage = 200;

    private readonly string[] _rowNames =
        [.. configs.Apps.SelectMany(app => app.Definition.Stored).Select(slice => slice.Name).Distinct(StringComparer.Ordinal)];

    /// <summary>Checks all stored sessions.</summary>
    public async Task<SessionCheck> CheckAllAsync(IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var sum = new SessionCheck { SchemaVersion = migrations.LatestVersion };
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
        var page = await stored.ReadAsync(_rowNames, after, RowsPerPage, cancellationToken);
        var check = page.Rows.GroupBy(row => row.Key).Select(Check)
            .Aggregate(new SessionCheck { SchemaVersion = migrations.LatestVersion }, (sum, each) => sum.Plus(each));
        return new(check, page.Next, page.Progress);
    }

    private SessionCheck Check(IGrouping<string, NamedRow> session)
    {
        var owner = GrainId.Create(UserSessionGrain.TypeName, session.Key);
        var isNamed = SessionId.TryParse(session.Key, out var id);
        var name = id?.ToString() ?? session.Key;
        // Rows of a store that is not registered may be of any app.
        var config = isNamed ? configs.Find(id!.Store) : null;
        var readings = session.Select(row => (Row: row, Reading: Read(owner, row, config))).ToArray();
        var findings = readings.Where(each => each.Reading.Outcome is not null)
            .GroupBy(each => (Outcome: each.Reading.Outcome!.Value, each.Reading.Reason))
            .Select(same => new CheckFinding(same.Key.Outcome, same.Key.Reason, 1, same.Count(),
                $"{name}, {same.First().Row.Name}: {same.First().Reading.Problem}"));
        if (config is null)
        {
            findings = [.. findings, new(CheckOutcome.Refuse, "its store is not registered", 1, readings.Length,
                $"{name}: registered are {string.Join(", ", configs.Names)}")];
        }
        return new()
        {
            SchemaVersion = migrations.LatestVersion,
            Sessions = 1,
            Rows = readings.Length,
            Versions = readings.GroupBy(each => each.Reading.Version).Select(same => new VersionCount(same.Key, same.Count()))
                .ToValueList(),
            Findings = findings.ToValueList(),
        };
    }

    private SliceReading Read(GrainId owner, NamedRow row, PersistConfig? config)
    {
        var app = config?.App ?? configs.Apps.First(each => each.Definition.FindSlice(row.Name) is { IsStored: true });
        return app.Definition.FindSlice(row.Name) is { IsStored: true } slice
            ? SliceReading.Of(owner, slice, row.Bytes, config is null ? migrations.Of(app) : migrations.Of(config))
            : SliceReading.OfOtherApp(app.Name);
    }
}
