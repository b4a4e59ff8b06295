using Chatterbox.ClusterTests.Storage;
using Chatterbox.Silo.Storage;
using Xunit.Abstractions;
using static Chatterbox.Silo.Storage.DatabaseProvider;

namespace Chatterbox.ClusterTests.Sessions;

/// <summary>What a session promises, it promises on every database: a suite has a class for each.</summary>
public abstract class SessionSuite(DatabaseProvider database)
{
    /// <summary>Silos over an empty database of the suite's kind.</summary>
    protected Task<ChatterboxCluster> StartAsync(ChatterboxCluster? cluster = null) =>
        ChatterboxCluster.StartAsync(cluster, database);
}

[OnDatabase(Sqlite)]
public class FaultsOnSqlite(ITestOutputHelper output) : FaultTests(Sqlite, output);

[OnDatabase(PostgreSql)]
public class FaultsOnPostgreSql(ITestOutputHelper output) : FaultTests(PostgreSql, output);

[OnDatabase(Sqlite)]
public class WritePathOnSqlite() : WritePathTests(Sqlite);

[OnDatabase(PostgreSql)]
public class WritePathOnPostgreSql() : WritePathTests(PostgreSql);

[OnDatabase(Sqlite)]
public class ChecksOnSqlite() : CheckTests(Sqlite);

[OnDatabase(PostgreSql)]
public class ChecksOnPostgreSql() : CheckTests(PostgreSql);

[OnDatabase(Sqlite)]
public class KillsOnSqlite(ITestOutputHelper output) : KillTests(Sqlite, output);

[OnDatabase(PostgreSql)]
public class KillsOnPostgreSql(ITestOutputHelper output) : KillTests(PostgreSql, output);

[OnDatabase(Sqlite)]
public class LoadingOnSqlite() : LoadingTests(Sqlite);

[OnDatabase(PostgreSql)]
public class LoadingOnPostgreSql() : LoadingTests(PostgreSql);

[OnDatabase(Sqlite)]
public class MigrationsOnSqlite() : MigrationTests(Sqlite);

[OnDatabase(PostgreSql)]
public class MigrationsOnPostgreSql() : MigrationTests(PostgreSql);

[OnDatabase(Sqlite)]
public class RecoveryOnSqlite() : RecoveryTests(Sqlite);

[OnDatabase(PostgreSql)]
public class RecoveryOnPostgreSql() : RecoveryTests(PostgreSql);

[OnDatabase(Sqlite)]
public class SavingOnSqlite() : SavingTests(Sqlite);

[OnDatabase(PostgreSql)]
public class SavingOnPostgreSql() : SavingTests(PostgreSql);

[OnDatabase(Sqlite)]
public class SyncOnSqlite() : SyncTests(Sqlite);

[OnDatabase(PostgreSql)]
public class SyncOnPostgreSql() : SyncTests(PostgreSql);
