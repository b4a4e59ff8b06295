namespace Chatterbox.Client;

/// <summary>What the replica has to ask the session for next.</summary>
internal enum Need
{
    Nothing,
    CatchUp,
    Attach,
}
