using Chatterbox.ClusterTests.Audio;
using Chatterbox.ClusterTests.Sessions;
using Chatterbox.ClusterTests.Storage;
using Xunit.Abstractions;
using static Chatterbox.Silo.Storage.DatabaseProvider;
using static Chatterbox.Silo.Storage.StorageWriter;

// All suites on SQL Server. They run where CHATTERBOX_TEST_SQLSERVER holds the connection string of one, and are skipped, with
// this reason, where it does not. See also StorageOnSqlServer.cs.

namespace Chatterbox.ClusterTests;

[OnDatabase(SqlServer)]
public class StockOnSqlServer() : StorageContract(SqlServer, Stock, Stock);

[OnDatabase(SqlServer)]
public class GroupCommitOnSqlServer() : StorageContract(SqlServer, GroupCommit, GroupCommit);

[OnDatabase(SqlServer)]
public class StockThenGroupCommitOnSqlServer() : StorageContract(SqlServer, Stock, GroupCommit);

[OnDatabase(SqlServer)]
public class GroupCommitThenStockOnSqlServer() : StorageContract(SqlServer, GroupCommit, Stock);

[OnDatabase(SqlServer)]
public class MembershipOnSqlServer() : MembershipTableTests(SqlServer);

[OnDatabase(SqlServer)]
public class FaultsOnSqlServer(ITestOutputHelper output) : FaultTests(SqlServer, output);

[OnDatabase(SqlServer)]
public class WritePathOnSqlServer() : WritePathTests(SqlServer);

[OnDatabase(SqlServer)]
public class ChecksOnSqlServer() : CheckTests(SqlServer);

[OnDatabase(SqlServer)]
public class KillsOnSqlServer(ITestOutputHelper output) : KillTests(SqlServer, output);

[OnDatabase(SqlServer)]
public class LoadingOnSqlServer() : LoadingTests(SqlServer);

[OnDatabase(SqlServer)]
public class MigrationsOnSqlServer() : MigrationTests(SqlServer);

[OnDatabase(SqlServer)]
public class RecoveryOnSqlServer() : RecoveryTests(SqlServer);

[OnDatabase(SqlServer)]
public class SavingOnSqlServer() : SavingTests(SqlServer);

[OnDatabase(SqlServer)]
public class SyncOnSqlServer() : SyncTests(SqlServer);

[OnDatabase(SqlServer)]
public class CrashesOnSqlServer() : CrashTests(SqlServer);

[Collection("quota")]
[OnDatabase(SqlServer)]
public class QuotaOnSqlServer() : QuotaTests(SqlServer);
