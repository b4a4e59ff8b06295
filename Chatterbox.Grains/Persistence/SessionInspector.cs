namespace Chatterbox.Grains.Persistence;

/// <param name="Session">The session's key.</param>
/// <param name="Slice">The row's name.</param>
public sealed record StoredSliceRow(string Session, string Slice, byte[] Bytes);

/// <param name="Next">Where the next page begins; null when there is none.</param>
/// <param name="Progress">How much of the database lies before that, 0 to 1.</param>
public sealed record StoredSlicePage(IReadOnlyList<StoredSliceRow> Rows, int? Next, double Progress);

/// <summary>The slices of all sessions as they are stored, for reading only. Provided by the host, which knows the database.</summary>
public interface IStoredSlices
{
    /// <summary>A page of rows. All rows of a session are on the same page.</summary>
    /// <param name="after">The page before's <see cref="StoredSlicePage.Next"/>; null begins.</param>
    Task<StoredSlicePage> ReadAsync(int? after, CancellationToken cancellationToken);
}

/// <summary>Finds out what loading stored sessions would come to, with the code that loads them. Changes nothing.</summary>
public sealed class SessionInspector(IStoredSlices stored, MigrationChain migrations, PersistConfigs configs)
{
    /// <summary>Looks through everything.</summary>
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
        var page = await stored.ReadAsync(after, cancellationToken);
        var check = page.Rows.GroupBy(row => row.Session).Select(Check).Aggregate(new SessionCheck { SchemaVersion = migrations.CurrentVersion }, (sum, each) => sum.Plus(each));
        return new(check, page.Next, page.Progress);
    }

    private SessionCheck Check(IGrouping<string, StoredSliceRow> session)
    {
        var owner = GrainId.Create(UserSessionGrain.TypeName, session.Key);
        var readings = session.Select(row =>
            (Row: row, Reading: SliceReading.Of(owner, SliceDefinition.All.First(slice => slice.Name == row.Slice), row.Bytes, migrations))).ToArray();
        var findings = readings.Where(each => each.Reading.Outcome is not null).GroupBy(each => (Outcome: each.Reading.Outcome!.Value, each.Reading.Reason))
            .Select(same => new CheckFinding(same.Key.Outcome, same.Key.Reason, 1, same.Count(),
                $"{session.Key}, {same.First().Row.Slice}: {same.First().Reading.Problem}"));
        if (!SessionId.TryParse(session.Key, out var id) || configs.Find(id.Store) is null)
        {
            findings = [.. findings, new(CheckOutcome.Refuse, "its store is not registered", 1, readings.Length,
                $"{session.Key}: registered are {string.Join(", ", configs.Names)}")];
        }
        return new()
        {
            SchemaVersion = migrations.CurrentVersion,
            Sessions = 1,
            Rows = readings.Length,
            Versions = readings.GroupBy(each => each.Reading.Version).Select(same => new VersionCount(same.Key, same.Count())).ToValueList(),
            Findings = findings.ToValueList(),
        };
    }
}
