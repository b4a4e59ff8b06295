using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Chatterbox.Client.Connections;

namespace Chatterbox.Silo.Settings;

/// <summary>
/// <c>Chatterbox__Tls__…</c>: encrypts what silos send each other and their Orleans clients. The web server has settings of its
/// own (<c>Kestrel__Certificates__Default__Path</c> and so on).
/// </summary>
public sealed class TlsOptions
{
    /// <summary>A PEM file with the silo's certificate, and those between it and its authority. Default empty: no TLS.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>A PEM file with its key. Default empty: in the certificate's file.</summary>
    public string Key { get; set; } = "";

    /// <summary>
    /// A PEM file with the authorities whose certificates are accepted. Default empty: those that the machine trusts.
    /// </summary>
    public string Authority { get; set; } = "";

    /// <summary>The name in all silos' certificates. Default empty: the first one in this silo's.</summary>
    public string ServerName { get; set; } = "";

    /// <summary>Whether clients need a certificate, too. Default false.</summary>
    public bool ClientCertificates { get; set; }

    internal bool IsConfigured => Certificate.Length > 0;

    internal CertificateFiles Files { get; private set; } = new(null, null, null);

    /// <exception cref="SettingsException"/>
    internal void Resolve()
    {
        if (!IsConfigured)
        {
            if (Key.Length + Authority.Length + ServerName.Length > 0 || ClientCertificates)
                throw SettingsException.For(
                    "Chatterbox:Tls:Certificate", Certificate, "set with any other Chatterbox__Tls__ setting");
            return;
        }
        Files = new(Certificate, Key.Length > 0 ? Key : null, Authority.Length > 0 ? Authority : null);
        var own = Read("Chatterbox:Tls:Certificate", Certificate, "a PEM file with a certificate and its key", () => Files.Own!);
        Read("Chatterbox:Tls:Authority", Authority, "a PEM file with certificates", () => Files.Trusted);
        if (ServerName.Length == 0) ServerName = own.GetNameInfo(X509NameType.DnsFromAlternativeName, forIssuer: false);
        if (ServerName.Length == 0)
            throw SettingsException.For("Chatterbox:Tls:ServerName", ServerName, "a name that is in the silos' certificates");
    }

    private static T Read<T>(string setting, string path, string allowed, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw SettingsException.For(setting, path, $"{allowed} ({failure.Message})", failure);
        }
    }
}
