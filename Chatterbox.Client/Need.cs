namespace Chatterbox.Client;

/// <summary>The next request that the replica needs.</summary>
internal enum Need
{
    Nothing,
    CatchUp,
    Attach,
}
