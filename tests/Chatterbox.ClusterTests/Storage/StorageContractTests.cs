using static Chatterbox.Silo.Storage.DatabaseProvider;
using static Chatterbox.Silo.Storage.StorageWriter;

namespace Chatterbox.ClusterTests.Storage;

// The suite for each writer on each database, and with one writing what the other reads.

[OnDatabase(Sqlite)]
public class StockOnSqlite() : StorageContract(Sqlite, Stock, Stock);

[OnDatabase(Sqlite)]
public class GroupCommitOnSqlite() : StorageContract(Sqlite, GroupCommit, GroupCommit);

[OnDatabase(Sqlite)]
public class StockThenGroupCommitOnSqlite() : StorageContract(Sqlite, Stock, GroupCommit);

[OnDatabase(Sqlite)]
public class GroupCommitThenStockOnSqlite() : StorageContract(Sqlite, GroupCommit, Stock);

[OnDatabase(PostgreSql)]
public class StockOnPostgreSql() : StorageContract(PostgreSql, Stock, Stock);

[OnDatabase(PostgreSql)]
public class GroupCommitOnPostgreSql() : StorageContract(PostgreSql, GroupCommit, GroupCommit);

[OnDatabase(PostgreSql)]
public class StockThenGroupCommitOnPostgreSql() : StorageContract(PostgreSql, Stock, GroupCommit);

[OnDatabase(PostgreSql)]
public class GroupCommitThenStockOnPostgreSql() : StorageContract(PostgreSql, GroupCommit, Stock);
