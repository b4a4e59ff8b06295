using System.Diagnostics.CodeAnalysis;

namespace Chatterbox;

/// <summary>
/// Names one user's session: the user and the store. The grain key is <c>u/user/store</c>.
/// </summary>
/// <param name="UserId">1 to 128 characters; no slash, no white space at the ends, no control characters.</param>
/// <param name="Store">1 to 64 of a–z, 0–9 and '-'. Selects a persist configuration;
/// default <see cref="DefaultStore"/>.</param>
public sealed record SessionId(string UserId, string Store = SessionId.DefaultStore)
{
    public const string DefaultStore = "app-state";

    public string Key => $"{GrainKeys.OfUser(UserId)}/{Store}";

    /// <summary>For people: <c>user/store</c>.</summary>
    public override string ToString() => $"{UserId}/{Store}";

    /// <summary>Null when the id is valid, otherwise its problem.</summary>
    public Rejection? Validate() => Text.CheckUserId(UserId) ?? Text.CheckStore(Store);

    public SessionId EnsureValid() => Validate() is { } wrong ? throw new ArgumentException(wrong.Message) : this;

    public static bool TryParse(string? key, [NotNullWhen(true)] out SessionId? id)
    {
        var name = GrainKeys.WithoutPrefix(key);
        var slash = name?.LastIndexOf('/') ?? -1;
        id = slash > 0 ? new SessionId(name![..slash], name[(slash + 1)..]) : null;
        if (id?.Validate() is not null) id = null;
        return id is not null;
    }
}
