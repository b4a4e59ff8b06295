using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Chatterbox.Client.Connections;
using Chatterbox.Silo.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Chatterbox.GatewayTests.Access;

public sealed class TlsTests : IDisposable
{
    private const string Name = "silo.test";

    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact(DisplayName =
        "[X1] with TLS a client reaches a silo whose certificate is its authority's and has its name, and none else")]
    public async Task Clients()
    {
        using var others = new TestAuthority();
        await using var host = await GatewayHost.StartAsync(
            ("Tls:Certificate", _authority.Issue(Name)), ("Tls:Authority", _authority.Path));
        await StoresAsync(host, tls => (tls.TlsServerName, tls.TlsAuthority) = (Name, _authority.Path));

        await DeniesAsync(host, _ => { });
        await DeniesAsync(host, tls => (tls.TlsServerName, tls.TlsAuthority) = ("other.test", _authority.Path));
        await DeniesAsync(host, tls => (tls.TlsServerName, tls.TlsAuthority) = (Name, others.Path));
        await DeniesAsync(host, tls => tls.TlsServerName = Name);

        // Browsers are relayed on the same silo.
        var page = await host.OpenAsync("alice");
        Assert.NotNull((await page.AttachAsync("b1")).State.Snapshot);
    }

    [Fact(DisplayName = "[X1] where silos require certificates of clients, one without, or of another authority, is denied")]
    public async Task Client_certificates()
    {
        using var others = new TestAuthority();
        await using var host = await GatewayHost.StartAsync(
            ("Tls:Certificate", _authority.Issue(Name)), ("Tls:Authority", _authority.Path), ("Tls:ClientCertificates", "true"));
        await StoresAsync(host, tls => (tls.TlsServerName, tls.TlsAuthority, tls.TlsCertificate) =
            (Name, _authority.Path, _authority.Issue("client.test")));
        await DeniesAsync(host, tls => (tls.TlsServerName, tls.TlsAuthority) = (Name, _authority.Path));
        await DeniesAsync(host, tls => (tls.TlsServerName, tls.TlsAuthority, tls.TlsCertificate) =
            (Name, _authority.Path, others.Issue("client.test")));
    }

    [Fact(DisplayName =
        "[X1] a renewed certificate is used without a restart; while its file is half written, the one before is")]
    public void Renewal()
    {
        var file = _authority.Issue(Name);
        var files = new CertificateFiles(file, key: null, _authority.Path);
        var first = files.Own!.SerialNumber;
        Assert.Equal(first, files.Own!.SerialNumber);
        var later = File.GetLastWriteTimeUtc(file);
        File.WriteAllText(file, "half");
        File.SetLastWriteTimeUtc(file, later.AddSeconds(1));
        Assert.Equal(first, files.Own!.SerialNumber);
        _authority.Issue(Name, file);
        File.SetLastWriteTimeUtc(file, later.AddSeconds(2));
        Assert.NotEqual(first, files.Own!.SerialNumber);
    }

    [Fact(DisplayName = "[X1] an expired certificate, a wrong name, and none are not accepted, whoever issued it")]
    public void Accepts()
    {
        var files = new CertificateFiles(null, null, _authority.Path);
        using var good = X509Certificate2.CreateFromPemFile(_authority.Issue(Name));
        using var expired = X509Certificate2.CreateFromPemFile(_authority.Issue(Name, expired: TimeSpan.FromHours(25)));
        Assert.True(files.Accepts(good, null, SslPolicyErrors.RemoteCertificateChainErrors));
        Assert.False(files.Accepts(expired, null, SslPolicyErrors.RemoteCertificateChainErrors));
        Assert.False(files.Accepts(good, null, SslPolicyErrors.RemoteCertificateNameMismatch));
        Assert.False(new CertificateFiles(null, null, null).Accepts(good, null, SslPolicyErrors.RemoteCertificateChainErrors));
    }

    [Theory(DisplayName = "[X2] a TLS setting that cannot be used stops the start, with its name")]
    [InlineData("Tls:Certificate", "Chatterbox__Tls__Certificate must be a PEM file with a certificate and its key")]
    [InlineData("Tls:Authority", "Chatterbox__Tls__Certificate must be set with any other Chatterbox__Tls__ setting")]
    public void Settings(string setting, string error)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [$"Chatterbox:{setting}"] = "/none.pem" }).Build();
        Assert.StartsWith(error, Assert.Throws<SettingsException>(() => SiloSettings.Read(configuration)).Message,
            StringComparison.Ordinal);
    }

    private static async Task StoresAsync(GatewayHost host, Action<ChatterboxClientOptions> tls)
    {
        var client = await host.ClientAsync(GatewayHost.ServiceKey, configure: tls);
        await using var store = await client.Services.GetRequiredService<ChatterboxClient>().OpenAsync(new SessionId("alice"));
        await store.DispatchAsync(new SetStreaming(true));
    }

    private static async Task DeniesAsync(GatewayHost host, Action<ChatterboxClientOptions> tls)
    {
        var denied = await Record.ExceptionAsync(() => host.ClientAsync(GatewayHost.ServiceKey, configure: tls));
        Assert.True(denied is OrleansException, $"{denied}");
    }
}
