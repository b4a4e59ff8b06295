using System.Net;
using Chatterbox.Silo.Settings;

namespace Chatterbox.Silo.Gateway.Access;

/// <summary>Whether a silo may start with the doors it opens.</summary>
internal static class AccessCheck
{
    private const string WhatToSet =
        "Chatterbox__Auth__Authority and Chatterbox__Auth__Audience, or Chatterbox__Auth__SigningKey, for users; "
        + "Chatterbox__Auth__ServiceKey for services and the command line";

    /// <exception cref="SettingsException">Nothing is configured, and this is not Development on loopback.</exception>
    public static void Ensure(SiloSettings settings, IHostEnvironment environment, IConfiguration configuration)
    {
        if (settings.Auth.IsConfigured) return;
        if (!environment.IsDevelopment())
        {
            throw new SettingsException($"""
                Nobody can be told apart: no authentication is configured. Set {WhatToSet}.
                On a developer's machine set ASPNETCORE_ENVIRONMENT=Development instead: the silo then listens on loopback only.
                """);
        }
        if (!IPAddress.IsLoopback(settings.Silo.Advertised))
            throw Open("Chatterbox__Silo__Address", settings.Silo.Address);
        if (UrlsOf(configuration).FirstOrDefault(url => !IsLoopback(url)) is { } open)
            throw Open("the web server's address", open);
    }

    private static SettingsException Open(string setting, string value) => new(
        $"{setting} must be a loopback address while no authentication is configured, was '{value}'. "
        + $"To listen beyond, set {WhatToSet}.");

    private static IEnumerable<string> UrlsOf(IConfiguration configuration) =>
    [
        .. Split(configuration[WebHostDefaults.ServerUrlsKey]),
        .. Split(configuration[WebHostDefaults.HttpPortsKey]).Select(port => $"http://*:{port}"),
        .. Split(configuration[WebHostDefaults.HttpsPortsKey]).Select(port => $"https://*:{port}"),
        .. configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? "http://*"),
    ];

    private static string[] Split(string? list) => list?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static bool IsLoopback(string url)
    {
        var address = StartUp.ParseUrl(url);
        return address.IsUnixPipe || address.Host is "localhost"
            || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
    }
}
