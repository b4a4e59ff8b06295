using System.Globalization;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;

namespace Chatterbox.Silo.Operations;

/// <summary>The database's clock, which all silos share.</summary>
internal sealed class DatabaseClock(DatabaseOptions options, TimeProvider clock)
{
    /// <summary>An offset beyond this is told.</summary>
    public static readonly TimeSpan Warning = TimeSpan.FromSeconds(1);

    /// <summary>
    /// An offset beyond this keeps a silo from joining: a silo's sign of life is stale after 15 s by the others' clocks, and it
    /// takes
    /// theirs for stale by its own.
    /// </summary>
    public static readonly TimeSpan Largest = TimeSpan.FromSeconds(5);

    private readonly DatabaseDialect _dialect = DatabaseDialect.Of(options.Provider);

    /// <summary>False where the database has the machine's own clock.</summary>
    public bool HasClock => _dialect.SelectUtcNow is not null;

    /// <summary>
    /// This machine's clock less the database's, from one round trip, whose middle is taken for the moment of the answer.
    /// </summary>
    /// <exception cref="System.Data.Common.DbException">The database is unavailable.</exception>
    public async Task<TimeSpan> MeasureAsync(CancellationToken cancellationToken)
    {
        await using var connection = _dialect.Connect(options.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = _dialect.SelectUtcNow!;
        var (before, started) = (clock.GetUtcNow(), clock.GetTimestamp());
        var answer = await command.ExecuteScalarAsync(cancellationToken);
        var theirs = DateTime.SpecifyKind(Convert.ToDateTime(answer, CultureInfo.InvariantCulture), DateTimeKind.Utc);
        return before + (clock.GetElapsedTime(started) / 2) - theirs;
    }

    /// <summary>Refuses to go on with a clock that would make this silo evict healthy ones.</summary>
    /// <exception cref="SettingsException"/>
    public static async Task EnsureAsync(DatabaseOptions options, TimeProvider clock)
    {
        var database = new DatabaseClock(options, clock);
        if (!database.HasClock)
            return;
        var offset = await database.MeasureAsync(CancellationToken.None);
        if (offset.Duration() <= Largest)
            return;
        throw new SettingsException(string.Create(CultureInfo.InvariantCulture,
            $"This machine's clock is {offset.TotalSeconds:0.0} s from the database's; at most {Largest.TotalSeconds:0} s are "
            + $"allowed. Synchronize it (NTP)."));
    }
}
