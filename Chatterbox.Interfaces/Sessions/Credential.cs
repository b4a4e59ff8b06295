namespace Chatterbox;

/// <summary>The caller's credential in a call over the Orleans gateway: a text in the request context.</summary>
internal static class Credential
{
    public const string Key = "chatterbox.credential";

    /// <summary>Prefix of a service key.</summary>
    public const string Service = "service ";

    /// <summary>Prefix of a user's token.</summary>
    public const string User = "user ";

    /// <summary>Prefix of a secret known only to silos.</summary>
    public const string Silo = "silo ";
}

/// <summary>The caller makes too many calls: later ones may be served.</summary>
[GenerateSerializer, Alias("chatterbox.TooManyCallsException")]
public sealed class TooManyCallsException(Rejection rejection) : Exception(rejection.Message)
{
    [Id(0)] public Rejection Rejection { get; } = rejection;
}

/// <summary>The caller may not make this call: its credential is missing, not accepted, or of another user.</summary>
[GenerateSerializer, Alias("chatterbox.AccessDeniedException")]
public sealed class AccessDeniedException(Rejection rejection) : Exception(rejection.Message)
{
    [Id(0)] public Rejection Rejection { get; } = rejection;
}
