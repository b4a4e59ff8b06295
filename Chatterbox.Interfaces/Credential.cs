namespace Chatterbox;

/// <summary>How a call over the Orleans gateway says who makes it: a text in the request context.</summary>
internal static class Credential
{
    public const string Key = "chatterbox.credential";

    /// <summary>Before a service key.</summary>
    public const string Service = "service ";

    /// <summary>Before a user's token.</summary>
    public const string User = "user ";

    /// <summary>Before what only silos know.</summary>
    public const string Silo = "silo ";
}

/// <summary>The caller may not make this call: its credential is missing, not accepted, or of another user.</summary>
[GenerateSerializer, Alias("chatterbox.AccessDeniedException")]
public sealed class AccessDeniedException(Rejection rejection) : Exception(rejection.Message)
{
    [Id(0)] public Rejection Rejection { get; } = rejection;
}
