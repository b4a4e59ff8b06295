using Orleans.Connections.Security;

namespace Chatterbox.Client.Connections;

/// <summary>TLS on the connections of clients and silos.</summary>
internal static class Encryption
{
    /// <param name="serverName">The name in the silos' certificates.</param>
    public static void Configure(TlsOptions tls, CertificateFiles files, string serverName, bool requiresCertificates)
    {
        // A silo's is always there; a client's only where it is required.
        tls.RemoteCertificateMode = tls.ClientCertificateMode =
            requiresCertificates ? RemoteCertificateMode.RequireCertificate : RemoteCertificateMode.AllowCertificate;
        // Orleans wants one to be there where it is required, and then asks for the current one.
        tls.LocalCertificate = files.Own;
        tls.LocalServerCertificateSelector = (_, _) => files.Own!;
        tls.LocalClientCertificateSelector = (_, _, _, _, _) => files.Own!;
        tls.RemoteCertificateValidation = files.Accepts;
        tls.OnAuthenticateAsClient = (_, client) => client.TargetHost = serverName;
    }
}
