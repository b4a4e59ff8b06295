using System.Text.RegularExpressions;
using Chatterbox.Silo.Storage;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace Chatterbox.Tests.Storage;

/// <summary>What can be said of the T-SQL where no SQL Server is at hand: it parses, and keeps to the plain subset.</summary>
public sealed partial class TransactSqlTests
{
    private static readonly string[] Row =
        ["@GrainIdHash", "@GrainIdN0", "@GrainIdN1", "@GrainTypeHash", "@GrainTypeString", "@GrainIdExtensionString", "@ServiceId"];

    private static readonly string[] Silo = ["@DeploymentId", "@Address", "@Port", "@Generation"];

    /// <summary>The parameters that Orleans gives each of its queries.</summary>
    private static readonly Dictionary<string, string[]> Contract = new()
    {
        ["WriteToStorageKey"] = [.. Row, "@GrainStateVersion", "@PayloadBinary"],
        ["ReadFromStorageKey"] = Row,
        ["ClearStorageKey"] = [.. Row, "@GrainStateVersion"],
        ["DeleteStorageKey"] = [.. Row, "@GrainStateVersion"],
        ["InsertMembershipVersionKey"] = ["@DeploymentId"],
        ["InsertMembershipKey"] = [.. Silo, "@SiloName", "@HostName", "@Status", "@ProxyPort", "@StartTime", "@IAmAliveTime", "@Version"],
        ["UpdateMembershipKey"] = [.. Silo, "@Status", "@SuspectTimes", "@IAmAliveTime", "@Version"],
        ["UpdateIAmAlivetimeKey"] = [.. Silo, "@IAmAliveTime"],
        ["MembershipReadRowKey"] = Silo,
        ["MembershipReadAllKey"] = ["@DeploymentId"],
        ["GatewaysQueryKey"] = ["@DeploymentId", "@Status"],
        ["CleanupDefunctSiloEntriesKey"] = ["@DeploymentId", "@IAmAliveTime"],
        ["DeleteMembershipTableEntriesKey"] = ["@DeploymentId"],
    };

    [Fact(DisplayName = "[D2] the T-SQL of the schema parses and is plain, and Orleans' queries use the parameters they are given")]
    public void The_schema_is_plain()
    {
        var queries = new Queries();
        foreach (var (_, text) in SqlText.Versions("SqlServer")) ParsePlain(text).Accept(queries);

        Assert.Equal(Contract.Keys.Order(), queries.Texts.Keys.Order());
        foreach (var (key, text) in queries.Texts)
        {
            Assert.True(text.Length <= 8000, $"{key} is too long for its column.");
            Assert.Equal(Contract[key].Order(), Parameters(ParsePlain(text)).Order());
        }
    }

    [Fact(DisplayName = "[D2] the T-SQL of group commit parses and is plain")]
    public void Group_commit_is_plain()
    {
        const string File = "GroupCommit.SqlServer.sql";
        var names = Name().Matches(SqlText.Read(File)).Select(match => match.Groups[1].Value).ToArray();
        Assert.True(names.Length >= 3);
        Assert.All(names, name => Assert.Subset(
            new HashSet<string> { "@Rows", "@ServiceId" }, Parameters(ParsePlain(SqlText.Statement(File, name))).ToHashSet()));
    }

    [Theory(DisplayName = "[D2] what is not plain is found")]
    [InlineData("UPDATE t SET @v = c = c + 1")]
    [InlineData("UPDATE t WITH (UPDLOCK) SET c = 1")]
    [InlineData("MERGE t USING u ON t.i = u.i WHEN MATCHED THEN DELETE;")]
    [InlineData("BEGIN DISTRIBUTED TRANSACTION")]
    [InlineData("BULK INSERT t FROM 'file'")]
    [InlineData("SELECT 1 FROM t OPTION (RECOMPILE)")]
    public void Finds_what_is_not_plain(string sql) => Assert.ThrowsAny<Exception>(() => ParsePlain(sql));

    private static TSqlFragment ParsePlain(string sql)
    {
        // Of SQL Server 2016.
        var fragment = new TSql130Parser(initialQuotedIdentifiers: true).Parse(new StringReader(sql), out var errors);
        Assert.True(errors.Count == 0, string.Join('\n', errors.Select(error => $"{error.Line}: {error.Message}")) + "\n" + sql);
        fragment.Accept(new OnlyPlain());
        return fragment;
    }

    private static HashSet<string> Parameters(TSqlFragment fragment)
    {
        var variables = new Variables();
        fragment.Accept(variables);
        variables.Used.ExceptWith(variables.Declared);
        return variables.Used;
    }

    [GeneratedRegex(@"^-- name: (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Name();

    /// <summary>The rows of <c>OrleansQuery</c>.</summary>
    private sealed class Queries : TSqlFragmentVisitor
    {
        public Dictionary<string, string> Texts { get; } = [];

        public override void Visit(InsertStatement node)
        {
            if (node.InsertSpecification.Target is not NamedTableReference { SchemaObject.BaseIdentifier.Value: "OrleansQuery" }) return;
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

    private sealed class OnlyPlain : TSqlFragmentVisitor
    {
        public override void Visit(AssignmentSetClause node) =>
            Assert.False(node.Variable is not null, "An update sets a variable.");

        public override void Visit(TableHint node) => Assert.Fail($"The hint {node.HintKind}: a race is closed by a key or a condition.");

        public override void Visit(OptimizerHint node) => Assert.Fail($"The hint {node.HintKind}.");

        public override void Visit(MergeStatement node) => Assert.Fail("MERGE races with itself.");

        public override void Visit(BeginTransactionStatement node) => Assert.False(node.Distributed, "A distributed transaction.");

        public override void Visit(BulkInsertStatement node) => Assert.Fail("A bulk insert.");

        public override void Visit(InsertBulkStatement node) => Assert.Fail("A bulk insert.");
    }
}
