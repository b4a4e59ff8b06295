using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Web;

namespace Chatterbox.Silo;

/// <summary>
/// Asks the silo on this machine whether it is ready: for containers, whose image need not have a shell or curl.
/// </summary>
internal static class HealthProbe
{
    /// <summary>Makes the silo's program ask the silo that runs beside it whether it is ready, and end.</summary>
    public const string Argument = "--health";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    /// <returns>The exit code: 0 when the silo is ready, also when it is degraded; 1 when it is not, or does not
    /// answer.</returns>
    public static async Task<int> RunAsync(IConfiguration configuration, TextWriter output, TextWriter errors)
    {
        var url = AddressOf(configuration);
        try
        {
            // The certificate names the outside, not the loopback address; nothing secret is sent.
            using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
            using var http = new HttpClient(handler) { Timeout = Timeout };
            using var reply = await http.GetAsync(new Uri(url, Health.ReadyPath));
            await output.WriteLineAsync(await reply.Content.ReadAsStringAsync());
            return reply.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            await errors.WriteLineAsync($"{url}: {failure.Message}");
            return 1;
        }
    }

    /// <summary>The first address that the silo listens on, as seen from this machine.</summary>
    /// <exception cref="SettingsException">It is no address.</exception>
    internal static Uri AddressOf(IConfiguration configuration)
    {
        var urls = configuration[WebHostDefaults.ServerUrlsKey]
            ?? Endpoint(configuration)
            ?? (configuration[WebHostDefaults.HttpPortsKey] is { Length: > 0 } ports ? $"http://*:{ports.Split(';')[0]}" : null)
            ?? (configuration[WebHostDefaults.HttpsPortsKey] is { Length: > 0 } secure
                ? $"https://*:{secure.Split(';')[0]}"
                : null)
            ?? ChatterboxHostExtensions.DefaultUrl;
        var address = StartUp.ParseUrl(urls.Split(';', StringSplitOptions.RemoveEmptyEntries)[0]);
        var host = address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "127.0.0.1" : address.Host;
        return new UriBuilder(address.Scheme, host, address.Port).Uri;
    }

    private static string? Endpoint(IConfiguration configuration) =>
        configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"])
            .FirstOrDefault(url => !string.IsNullOrEmpty(url));
}
