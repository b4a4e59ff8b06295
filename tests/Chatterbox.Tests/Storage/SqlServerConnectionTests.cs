using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.Data.SqlClient;

namespace Chatterbox.Tests.Storage;

public sealed class SqlServerConnectionTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(7.5);

    private static readonly SqlServerDialect Dialect = new();

    [Fact(DisplayName = "[D1] a connection to SQL Server is attempted, in the globalization mode that this is built with")]
    public void Attempts_to_connect()
    {
        using var connection = Dialect.Connect(Dialect.Resolve($"Server=127.0.0.1,{ClosedPort()};Database=chatterbox", Timeout));

        var failure = Assert.Throws<SqlException>(connection.Open);

        Assert.DoesNotContain("lobalization", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact(DisplayName =
        "[D3] a pool goes on trying after an outage, and opening a connection takes no longer than Database:Timeout")]
    public void Has_defaults()
    {
        var resolved = Resolve("Server=db;Database=chatterbox");

        Assert.Equal(PoolBlockingPeriod.NeverBlock, resolved.PoolBlockingPeriod);
        Assert.Equal(8, resolved.ConnectTimeout);
        Assert.Equal(0, resolved.ConnectRetryCount);
    }

    [Fact(DisplayName =
        "[D1] options in the SQL Server connection string are kept, by whichever of their names, and "
        + "resolving twice changes nothing")]
    public void Keeps_what_the_user_set()
    {
        const string Given =
            "Server=db;Database=chatterbox;PoolBlockingPeriod=AlwaysBlock;Connection Timeout=3;Connect Retry Count=4;"
            + "Max Pool Size=7;Application Name=mine";

        var resolved = Resolve(Given);

        Assert.Equal(PoolBlockingPeriod.AlwaysBlock, resolved.PoolBlockingPeriod);
        Assert.Equal(3, resolved.ConnectTimeout);
        Assert.Equal(4, resolved.ConnectRetryCount);
        Assert.Equal(7, resolved.MaxPoolSize);
        Assert.Equal("mine", resolved.ApplicationName);
        Assert.Equal(resolved.ConnectionString, Dialect.Resolve(resolved.ConnectionString, TimeSpan.FromSeconds(99)));
    }

    [Theory(DisplayName = "[D1] a SQL Server connection string without a server or a database is refused")]
    [InlineData("Database=chatterbox", "Server is missing")]
    [InlineData("Server=db", "Database is missing")]
    [InlineData("Server=db;Database=chatterbox;Colour=blue", "colour")]
    public void Refuses(string connectionString, string expected) =>
        Assert.Contains(expected, Assert.Throws<SettingsException>(() => Resolve(connectionString)).Message,
            StringComparison.Ordinal);

    [Fact(DisplayName = "[D5] where SQL Server's certificate is not trusted, a silo says so and which options decide it")]
    public async Task Says_that_the_certificate_is_not_trusted()
    {
        using var certificate = SelfSigned();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeTlsAsync(listener, certificate);
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        // Strict is the mode in which TLS comes first, so that no server is needed to get as far as its certificate.
        var connectionString = Dialect.Resolve($"Server=127.0.0.1,{port};Database=chatterbox;Encrypt=Strict", Timeout);
        var refusal = Assert.Throws<SettingsException>(() => Dialect.Prepare(connectionString, create: false));

        Assert.Contains("certificate", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("TrustServerCertificate=True", refusal.Message, StringComparison.Ordinal);
        listener.Stop();
        await serving;
    }

    [Fact(DisplayName = "[D5] a SQL Server that cannot be reached is reported by its address, without secrets")]
    public void Says_which_server()
    {
        var port = ClosedPort();
        var connectionString =
            Dialect.Resolve($"Server=127.0.0.1,{port};Database=chatterbox;User Id=sa;Password=hunter2", Timeout);

        var message = Assert.Throws<SettingsException>(() => Dialect.Prepare(connectionString, create: true)).Message;

        Assert.Contains($"127.0.0.1,{port}/chatterbox", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }

    private static SqlConnectionStringBuilder Resolve(string connectionString) => new(Dialect.Resolve(connectionString, Timeout));

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task ServeTlsAsync(TcpListener listener, X509Certificate2 certificate)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                await using var tls = new SslStream(client.GetStream());
                try
                {
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                    {
                        ServerCertificate = certificate,
                        ApplicationProtocols = [new SslApplicationProtocol("tds/8.0")],
                    });
                    _ = tls.ReadByte();
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The client has hung up on the certificate.
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        // With its key in it, as a server needs it.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
    }
}
