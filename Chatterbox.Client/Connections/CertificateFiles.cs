using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Chatterbox.Client.Connections;

/// <summary>
/// A certificate with its key, and the authorities whose certificates are accepted, in PEM files. They are read again after they
/// have changed, so that a renewed certificate is used without a restart.
/// </summary>
/// <param name="certificate">The certificate, with those between it and its authority; null for none.</param>
/// <param name="authority">Null for the authorities that the machine trusts.</param>
internal sealed class CertificateFiles(string? certificate, string? key, string? authority)
{
    private readonly Lock _lock = new();
    private (DateTime Written, X509Certificate2 Value)? _own;
    private (DateTime Written, X509Certificate2Collection Value)? _trusted;

    /// <summary>Null when there is none.</summary>
    /// <exception cref="CryptographicException">The files hold no certificate with its key.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public X509Certificate2? Own => certificate is null ? null : Read(ref _own, certificate, ReadOwn);

    /// <summary>Empty when the machine's are trusted.</summary>
    /// <inheritdoc cref="Own"/>
    public X509Certificate2Collection Trusted => authority is null ? [] : Read(ref _trusted, authority, ReadTrusted);

    /// <summary>Whether the other side's certificate is accepted. Its name was compared before.</summary>
    public bool Accepts(X509Certificate2 other, X509Chain? sent, SslPolicyErrors errors)
    {
        if (authority is null) return errors is SslPolicyErrors.None;
        // The machine need not know the authority. A name that does not match, or no certificate, is never accepted.
        if ((errors & ~SslPolicyErrors.RemoteCertificateChainErrors) is not SslPolicyErrors.None) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Trusted);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (sent is not null)
            foreach (var element in sent.ChainElements) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(other);
    }

    private T Read<T>(ref (DateTime Written, T Value)? known, string path, Func<T> read)
    {
        lock (_lock)
        {
            var written = File.GetLastWriteTimeUtc(path);
            if (known is { } same && same.Written == written) return same.Value;
            try
            {
                known = (written, read());
            }
            catch (Exception failure) when (known is not null && failure is CryptographicException or IOException)
            {
                // Being written: the one before is still good.
            }
            return known!.Value.Value;
        }
    }

    // By way of PKCS #12, since Windows does not take a key that is in memory only.
    private X509Certificate2 ReadOwn()
    {
        using var read = X509Certificate2.CreateFromPemFile(certificate!, key);
        return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), password: null);
    }

    private X509Certificate2Collection ReadTrusted()
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(authority!);
        return all.Count > 0 ? all : throw new CryptographicException($"{authority} holds no certificate");
    }
}
