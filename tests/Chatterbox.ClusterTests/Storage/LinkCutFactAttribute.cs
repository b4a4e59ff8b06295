namespace Chatterbox.ClusterTests.Storage;

/// <summary>
/// A fact that cuts a network link of a PostgreSQL server's. Where that is not permitted it is skipped and says why.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LinkCutFactAttribute : FactAttribute
{
    public LinkCutFactAttribute() => Skip = PostgresServer.Missing ?? NetworkNamespace.Missing;
}
