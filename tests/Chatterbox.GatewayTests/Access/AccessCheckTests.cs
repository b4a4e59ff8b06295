using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;

namespace Chatterbox.GatewayTests.Access;

public sealed class AccessCheckTests
{
    private const string Loopback = "http://127.0.0.1:5080";

    [Fact(DisplayName = "[X1] in Production with nothing configured the silo refuses to start and says what to set")]
    public void Production_needs_authentication()
    {
        var refusal = Refusal("Production", ("urls", Loopback));
        Assert.Contains("Chatterbox__Auth__SigningKey", refusal, StringComparison.Ordinal);
        Assert.Contains("Chatterbox__Auth__Authority", refusal, StringComparison.Ordinal);
        Assert.Contains("Chatterbox__Auth__ServiceKey", refusal, StringComparison.Ordinal);
    }

    [Theory(DisplayName = "[X1] with nothing configured a silo listens on loopback only")]
    [InlineData("urls", "http://0.0.0.0:5080")]
    [InlineData("urls", "http://127.0.0.1:5080;http://*:5081")]
    [InlineData("http_ports", "8080")]
    [InlineData("Kestrel:Endpoints:Open:Url", "http://10.0.0.5:80")]
    [InlineData("Chatterbox:Silo:Address", "10.0.0.5")]
    public void Loopback_only(string setting, string value) =>
        Assert.Contains($"'{(setting is "http_ports" ? "http://*:8080" : value.Split(';')[^1])}'",
            Refusal("Development", (setting, value)), StringComparison.Ordinal);

    [Theory(DisplayName = "[X1] a silo starts in Development on loopback, and anywhere with a key")]
    [InlineData("Development", "urls", Loopback)]
    [InlineData("Development", "urls", "http://localhost:5080;http://[::1]:5080")]
    [InlineData("Production", "Chatterbox:Auth:SigningKey", "0123456789abcdef0123456789abcdef")]
    [InlineData("Production", "Chatterbox:Auth:ServiceKey", "0123456789abcdef0123456789abcdef")]
    public void Starts(string environment, string setting, string value) => Ensure(environment, (setting, value));

    [Theory(DisplayName = "[X1] settings of authentication that cannot be right are refused, and keys are not shown")]
    [InlineData("Auth:SigningKey", "too short a key", "32 bytes")]
    [InlineData("Auth:ServiceKey", "too short a key", "32 bytes")]
    [InlineData("Auth:Authority", "http://login.example.com", "Chatterbox__Auth__Authority")]
    [InlineData("Auth:Authority", "https://login.example.com", "Chatterbox__Auth__Audience")]
    [InlineData("Web:Origins", "https://app.example.com/page", "Chatterbox__Web__Origins")]
    public void Settings_are_checked(string setting, string value, string expected)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read(($"Chatterbox:{setting}", value))).Message;
        Assert.Contains(expected, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("too short a key", refusal, StringComparison.Ordinal);
    }

    private static string Refusal(string environment, params (string Name, string Value)[] settings) =>
        Assert.Throws<SettingsException>(() => Ensure(environment, settings)).Message;

    private static void Ensure(string environment, params (string Name, string Value)[] settings)
    {
        var (read, configuration) = Read(settings);
        AccessCheck.Ensure(read, new HostingEnvironment { EnvironmentName = environment }, configuration);
    }

    private static (SiloSettings Settings, IConfiguration Configuration) Read(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value)).Build();
        return (SiloSettings.Read(configuration), configuration);
    }
}
