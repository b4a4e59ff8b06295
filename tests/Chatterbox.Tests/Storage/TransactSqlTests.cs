using System.Text.RegularExpressions;
using Chatterbox.Silo.Storage;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace Chatterbox.Tests.Storage;

/// <summary>What can be said of the T-SQL where no SQL Server is at hand: it parses, and keeps to the plain subset.</summary>
public sealed partial class TransactSqlTests
{
    private const string File = "GroupCommit.SqlServer.sql";

    private static readonly string[] Row =
        ["@GrainIdHash", "@GrainIdN0", "@GrainIdN1", "@GrainTypeHash", "@GrainTypeString",
            "@GrainIdExtensionString", "@ServiceId"];

    private static readonly string[] Silo = ["@DeploymentId", "@Address", "@Port", "@Generation"];

    /// <summary>The parameters that Orleans gives each of its queries.</summary>
    private static readonly Dictionary<string, string[]> Contract = new()
    {
        ["WriteToStorageKey"] = [.. Row, "@GrainStateVersion", "@PayloadBinary"],
        ["ReadFromStorageKey"] = Row,
        ["ClearStorageKey"] = [.. Row, "@GrainStateVersion"],
        ["DeleteStorageKey"] = [.. Row, "@GrainStateVersion"],
        ["InsertMembershipVersionKey"] = ["@DeploymentId"],
        ["InsertMembershipKey"] =
        [
            .. Silo, "@SiloName", "@HostName", "@Status", "@ProxyPort", "@StartTime", "@IAmAliveTime", "@Version",
        ],
        ["UpdateMembershipKey"] = [.. Silo, "@Status", "@SuspectTimes", "@IAmAliveTime", "@Version"],
        ["UpdateIAmAlivetimeKey"] = [.. Silo, "@IAmAliveTime"],
        ["MembershipReadRowKey"] = Silo,
        ["MembershipReadAllKey"] = ["@DeploymentId"],
        ["GatewaysQueryKey"] = ["@DeploymentId", "@Status"],
        ["CleanupDefunctSiloEntriesKey"] = ["@DeploymentId", "@IAmAliveTime"],
        ["DeleteMembershipTableEntriesKey"] = ["@DeploymentId"],
    };

    /// <summary>The reads that have to show two tables at one moment, in whichever way the database isolates them.</summary>
    private static readonly string[] Consistent = ["MembershipReadRowKey", "MembershipReadAllKey"];

    [Fact(DisplayName =
        "[D2] the T-SQL of the schema parses and is plain, and Orleans' queries use the parameters they are given")]
    public void The_schema_is_plain()
    {
        var queries = Schema();

        Assert.Equal(Contract.Keys.Order(StringComparer.Ordinal), queries.Keys.Order(StringComparer.Ordinal));
        foreach (var (key, text) in queries)
        {
            Assert.True(text.Length <= 8000, $"{key} is too long for its column.");
            var fragment = Consistent.Contains(key) ? Parse(text) : ParsePlain(text);
            Assert.Equal(Contract[key].Order(StringComparer.Ordinal), Parameters(fragment).Order(StringComparer.Ordinal));
        }
    }

    [Fact(DisplayName =
        "[D1] the membership's version and silos are read at one moment: both tables are held, the version first")]
    public void Membership_is_read_at_one_moment()
    {
        var queries = Schema();
        foreach (var key in Consistent)
        {
            var plan = new Plan();
            Parse(queries[key]).Accept(plan);

            Assert.Equal(["OrleansMembershipVersionTable", "OrleansMembershipTable"], plan.Held);
            Assert.Superset(new HashSet<OptimizerHintKind> { OptimizerHintKind.LoopJoin, OptimizerHintKind.ForceOrder },
                plan.Options);
        }
    }

    [Fact(DisplayName = "[D3] group commit finds each row by a seek, in the order of the batch, on one processor")]
    public void Group_commit_has_a_fixed_plan()
    {
        foreach (var name in Statements())
            foreach (var statement in ((TSqlScript)Parse(SqlText.Statement(File, name))).Batches
                .SelectMany(batch => batch.Statements)
                .Where(statement => statement is StatementWithCtesAndXmlNamespaces))
            {
                var plan = new Plan();
                statement.Accept(plan);

                Assert.All(plan.Read.Where(table => table == "OrleansStorage"), table => Assert.Contains(table, plan.Sought));
                if (plan.Read.Count > 1)
                    Assert.Superset(new HashSet<OptimizerHintKind> { OptimizerHintKind.LoopJoin, OptimizerHintKind.MaxDop },
                        plan.Options);
            }
    }

    [Fact(DisplayName =
        "[D3] a group commit on SQL Server is one transaction, with brief waits for locks, that answers after the commit")]
    public void Group_commit_is_one_transaction()
    {
        var statements = ((TSqlScript)Parse(SqlText.Statement(File, "Write"))).Batches.Single().Statements;

        Assert.Contains(statements,
            statement => statement is PredicateSetStatement { Options: SetOptions.XactAbort, IsOn: true });
        Assert.Contains("SET LOCK_TIMEOUT 100", SqlText.Statement(File, "Write"), StringComparison.Ordinal);
        var begin = statements.IndexOf(statements.Single(statement => statement is BeginTransactionStatement));
        var commit = statements.IndexOf(statements.Single(statement => statement is CommitTransactionStatement));
        Assert.All(statements.Skip(begin + 1).Take(commit - begin - 1), statement => Assert.True(statement
            is InsertStatement { InsertSpecification.OutputClause: null }
            or UpdateStatement { UpdateSpecification.OutputClause: null }));
        Assert.IsType<SelectStatement>(Assert.Single(statements.Skip(commit + 1)));
    }

    [Fact(DisplayName = "[D3] no batch on SQL Server locks the whole table, however many rows it has")]
    public void Locks_do_not_escalate()
    {
        var options = new Escalation();
        foreach (var (_, text) in SqlText.Versions("SqlServer")) Parse(text).Accept(options);

        Assert.Equal(["OrleansStorage"], options.Disabled);
    }

    [Fact(DisplayName = "[D2] the T-SQL of group commit parses and is plain")]
    public void Group_commit_is_plain()
    {
        Assert.Equal(["Write", "Read"], Statements());
        Assert.All(Statements(), name => Assert.Equal(
            name == "Read" ? ["@Rows", "@ServiceId", "@Bytes"] : new HashSet<string> { "@Rows", "@ServiceId" },
            Parameters(ParsePlain(SqlText.Statement(File, name)))));
    }

    [Theory(DisplayName = "[D2] what is not plain is found")]
    [InlineData("UPDATE t SET @v = c = c + 1")]
    [InlineData("UPDATE t WITH (UPDLOCK) SET c = 1")]
    [InlineData("MERGE t USING u ON t.i = u.i WHEN MATCHED THEN DELETE;")]
    [InlineData("BEGIN DISTRIBUTED TRANSACTION")]
    [InlineData("BULK INSERT t FROM 'file'")]
    [InlineData("SELECT 1 FROM t OPTION (RECOMPILE)")]
    public void Finds_what_is_not_plain(string sql) => Assert.ThrowsAny<Exception>(() => ParsePlain(sql));

    [Theory(DisplayName = "[D2] a hint that only fixes the plan is plain")]
    [InlineData("SELECT 1 FROM t AS a JOIN u AS b WITH (FORCESEEK) ON a.i = b.i OPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1)")]
    public void A_fixed_plan_is_plain(string sql) => ParsePlain(sql);

    private static string[] Statements() => [.. Name().Matches(SqlText.Read(File)).Select(match => match.Groups[1].Value)];

    /// <summary>The texts of <c>OrleansQuery</c> by key.</summary>
    private static Dictionary<string, string> Schema()
    {
        var queries = new Queries();
        foreach (var (_, text) in SqlText.Versions("SqlServer")) ParsePlain(text).Accept(queries);
        return queries.Texts;
    }

    private static TSqlFragment ParsePlain(string sql)
    {
        var fragment = Parse(sql);
        fragment.Accept(new OnlyPlain());
        return fragment;
    }

    private static TSqlFragment Parse(string sql)
    {
        // Of SQL Server 2016.
        var fragment = new TSql130Parser(initialQuotedIdentifiers: true).Parse(new StringReader(sql), out var errors);
        Assert.True(errors.Count == 0, string.Join('\n', errors.Select(error => $"{error.Line}: {error.Message}")) + "\n" + sql);
        return fragment;
    }

    private static HashSet<string> Parameters(TSqlFragment fragment)
    {
        var variables = new Variables();
        fragment.Accept(variables);
        variables.Used.ExceptWith(variables.Declared);
        return variables.Used;
    }

    [GeneratedRegex(@"^-- name: (\w+)\r?$", RegexOptions.Multiline)]
    private static partial Regex Name();

    /// <summary>The rows of <c>OrleansQuery</c>.</summary>
    private sealed class Queries : TSqlFragmentVisitor
    {
        public Dictionary<string, string> Texts { get; } = [];

        public override void Visit(InsertStatement node)
        {
            if (node.InsertSpecification.Target is not NamedTableReference { SchemaObject.BaseIdentifier.Value: "OrleansQuery" })
            {
                return;
            }
            foreach (var row in ((ValuesInsertSource)node.InsertSpecification.InsertSource).RowValues)
                Texts.Add(((StringLiteral)row.ColumnValues[0]).Value, ((StringLiteral)row.ColumnValues[1]).Value);
        }
    }

    private sealed class Variables : TSqlFragmentVisitor
    {
        public HashSet<string> Used { get; } = [];

        public HashSet<string> Declared { get; } = [];

        public override void Visit(VariableReference node) => Used.Add(node.Name);

        public override void Visit(DeclareVariableElement node) => Declared.Add(node.VariableName.Value);

        public override void Visit(DeclareTableVariableBody node) => Declared.Add(node.VariableName.Value);
    }

    /// <summary>What a statement says of its own plan.</summary>
    private sealed class Plan : TSqlFragmentVisitor
    {
        public List<string> Read { get; } = [];

        public HashSet<string> Sought { get; } = [];

        public List<string> Held { get; } = [];

        public HashSet<OptimizerHintKind> Options { get; } = [];

        public override void Visit(VariableTableReference node) => Read.Add(node.Variable.Name);

        public override void Visit(NamedTableReference node)
        {
            // A target has no alias and is not read, or it is the alias of a table that is.
            var name = node.SchemaObject.BaseIdentifier.Value;
            if (node.Alias is null) return;
            Read.Add(name);
            if (node.TableHints.Any(hint => hint.HintKind is TableHintKind.ForceSeek)) Sought.Add(name);
            if (node.TableHints.Any(hint => hint.HintKind is TableHintKind.HoldLock)) Held.Add(name);
        }

        public override void Visit(OptimizerHint node) => Options.Add(node.HintKind);
    }

    private sealed class Escalation : TSqlFragmentVisitor
    {
        public List<string> Disabled { get; } = [];

        public override void Visit(AlterTableSetStatement node)
        {
            if (node.Options.OfType<LockEscalationTableOption>().Any(option => option.Value is LockEscalationMethod.Disable))
                Disabled.Add(node.SchemaObjectName.BaseIdentifier.Value);
        }
    }

    private sealed class OnlyPlain : TSqlFragmentVisitor
    {
        public override void Visit(AssignmentSetClause node) =>
            Assert.False(node.Variable is not null, "An update sets a variable.");

        public override void Visit(TableHint node) => Assert.True(
            node.HintKind is TableHintKind.ForceSeek, $"The hint {node.HintKind}: a race is closed by a key or a condition.");

        public override void Visit(OptimizerHint node) => Assert.True(
            node.HintKind is OptimizerHintKind.LoopJoin or OptimizerHintKind.ForceOrder or OptimizerHintKind.MaxDop,
            $"The hint {node.HintKind}.");

        public override void Visit(MergeStatement node) => Assert.Fail("MERGE races with itself.");

        public override void Visit(BeginTransactionStatement node) =>
            Assert.False(node.Distributed, "A distributed transaction.");

        public override void Visit(BulkInsertStatement node) => Assert.Fail("A bulk insert.");

        public override void Visit(InsertBulkStatement node) => Assert.Fail("A bulk insert.");
    }
}
