using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.EndToEndTests;

/// <summary>A fact that needs SQL Server; skipped, with the reason, where the environment names none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SqlServerFactAttribute : FactAttribute
{
    public SqlServerFactAttribute() => Skip = SqlServerInstance.Missing;
}

/// <summary>The same for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SqlServerTheoryAttribute : TheoryAttribute
{
    public SqlServerTheoryAttribute() => Skip = SqlServerInstance.Missing;
}
