using System.Net;
using System.Net.Http.Headers;
using Chatterbox.ClusterTests.Storage;
using Chatterbox.Silo;
using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chatterbox.GatewayTests;

/// <summary>The real silo with all its doors, in this process, on free ports and with a database of its own.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    public const string SigningKey = "a key of the tests: 32 bytes or more, as it has to be";
    public const string ServiceKey = "a service key of the tests: also 32 bytes or more";

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("chatterbox-gateway-").FullName;
    private readonly List<IAsyncDisposable> _clients = [];
    private readonly int _siloPort = FreePort.Next();
    private readonly int _gatewayPort = FreePort.Next();
    private readonly LogCapture _log = new();
    private WebApplication? _app;

    private GatewayHost() { }

    internal SiloSettings Settings { get; private set; } = null!;

    public WebApplication App => _app ?? throw new InvalidOperationException("The host has not been started.");

    public Uri Address => new(App.Urls.First());

    /// <summary>Everything that was logged, at every level.</summary>
    public string Log => _log.Text;

    internal GatewayConnections Connections => App.Services.GetRequiredService<GatewayConnections>();

    public IGrainFactory Grains => App.Services.GetRequiredService<IGrainFactory>();

    /// <summary>With both keys configured, unless these settings (<c>Auth:SigningKey</c>) say otherwise.</summary>
    public static async Task<GatewayHost> StartAsync(params (string Name, string? Value)[] settings)
    {
        var host = new GatewayHost();
        try
        {
            await host.StartCoreAsync(settings);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public static string Token(string user, TimeSpan? valid = null, string key = SigningKey, params string[] roles) =>
        DevTokens.Sign(key, user, TimeProvider.System.GetUtcNow() + (valid ?? TimeSpan.FromHours(1)), roles);

    public HttpClient Http(string? token) => Http(token, Address);

    public static HttpClient Http(string? token, Uri address)
    {
        var handler = new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All };
        var http = new HttpClient(handler) { BaseAddress = address };
        if (token is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http;
    }

    public HttpClient HttpOf(string user) => Http(Token(user));

    /// <summary>A page of this user's, connected.</summary>
    public async Task<Page> OpenAsync(string user, TimeSpan? valid = null)
    {
        var page = new Page(Address, Token(user, valid));
        _clients.Add(page);
        await page.ConnectAsync();
        return page;
    }

    /// <summary>A .NET client process over the Orleans gateway.</summary>
    public async Task<IHost> ClientAsync(
        string? serviceKey = null, Func<string>? userToken = null, Action<ChatterboxClientOptions>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.ClearProviders();
        builder.AddChatterboxClient(options =>
        {
            options.Gateways.Add(new IPEndPoint(IPAddress.Loopback, _gatewayPort));
            options.ClusterId = Settings.Cluster.ClusterId;
            (options.ServiceKey, options.UserToken) = (serviceKey, userToken);
            options.CallTimeout = TimeSpan.FromSeconds(5);
            configure?.Invoke(options);
        });
        builder.Services.AddSingleton<IClientConnectionRetryFilter, NoRetry>();
        var client = builder.Build();
        try
        {
            await client.StartAsync().WaitAsync(Patience);
        }
        catch
        {
            client.Dispose();
            throw;
        }
        _clients.Add(new Stopping(client));
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in Enumerable.Reverse(_clients)) await client.DisposeAsync();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartCoreAsync((string Name, string? Value)[] settings)
    {
        var environment = settings.FirstOrDefault(setting => setting.Name == "Environment").Value ?? Environments.Production;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = environment,
        });
        var values = new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Chatterbox:Database:ConnectionString"] = $"Data Source={Path.Combine(_folder, "chatterbox.db")};Pooling=False",
            ["Chatterbox:Database:Fallback"] = "none",
            ["Chatterbox:Silo:Port"] = $"{_siloPort}",
            ["Chatterbox:Gateway:Port"] = $"{_gatewayPort}",
            ["Chatterbox:Cluster:ClusterId"] = Path.GetFileName(_folder),
            ["Chatterbox:Session:WriteDelay"] = "00:00:00.020",
            ["Chatterbox:Session:MaxWriteDelay"] = "00:00:00.200",
            ["Chatterbox:Auth:SigningKey"] = SigningKey,
            ["Chatterbox:Auth:ServiceKey"] = ServiceKey,
        };
        foreach (var (name, value) in settings.Where(setting => setting.Name != "Environment"))
            values[name.StartsWith("Logging:", StringComparison.Ordinal) ? name : $"Chatterbox:{name}"] = value;
        builder.Configuration.AddInMemoryCollection(values.Where(value => value.Value is not null));
        builder.Logging.ClearProviders().AddProvider(_log);
        Settings = SiloSettings.Read(builder.Configuration);
        AccessCheck.Ensure(Settings, builder.Environment, builder.Configuration);
        if (Settings.Database.Provider is not DatabaseProvider.Sqlite) DatabaseSchema.Migrate(Settings.Database);
        DatabaseSchema.Ensure(Settings.Database);
        builder.AddChatterbox(Settings);
        _app = builder.Build();
        _app.MapChatterbox(Settings);
        await _app.StartAsync().WaitAsync(Patience);
    }

    private sealed class NoRetry : IClientConnectionRetryFilter
    {
        public Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken) =>
            Task.FromResult(false);
    }

    private sealed class Stopping(IHost host) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await host.StopAsync();
            host.Dispose();
        }
    }
}
