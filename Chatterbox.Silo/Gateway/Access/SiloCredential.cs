using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>What the silos of a cluster know and nobody else: who sent a message is what its sender says.</summary>
internal sealed class SiloCredential
{
    public SiloCredential(AuthOptions auth, ClusteringOptions cluster)
    {
        // One silo alone needs nothing that lasts.
        var key = auth.ServiceKey.Length > 0
            ? Encoding.UTF8.GetBytes(auth.ServiceKey)
            : RandomNumberGenerator.GetBytes(AuthOptions.KeyBytes);
        var secret = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"silo of {cluster.ServiceId}/{cluster.ClusterId}"));
        Value = Credential.Silo + Convert.ToBase64String(secret);
    }

    public string Value { get; }

    public bool IsOf(string? credential) =>
        ReferenceEquals(credential, Value) || (credential is not null && AreEqual(credential, Value));

    /// <summary>In a time that does not tell how much of it is right.</summary>
    public static bool AreEqual(string given, string expected) => CryptographicOperations.FixedTimeEquals(
        MemoryMarshal.AsBytes(given.AsSpan()), MemoryMarshal.AsBytes(expected.AsSpan()));
}

/// <summary>Calls of silos carry the silos' credential, and none that go to clients do.</summary>
internal sealed class SiloCallStamp(SiloCredential silo) : IOutgoingGrainCallFilter
{
    public Task Invoke(IOutgoingGrainCallContext context)
    {
        if (context.TargetId.IsClient()) RequestContext.Remove(Credential.Key);
        else RequestContext.Set(Credential.Key, silo.Value);
        return context.Invoke();
    }
}
