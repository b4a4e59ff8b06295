namespace Chatterbox;

/// <summary>There can be no session of this key: the user or the store is not one that the silo serves.</summary>
[GenerateSerializer, Alias("chatterbox.SessionUnknownException")]
public sealed class SessionUnknownException(Rejection rejection) : Exception(rejection.Message)
{
    [Id(0)] public Rejection Rejection { get; } = rejection;
}
