using System.Security.Claims;
using System.Threading.RateLimiting;
using Chatterbox.Client;
using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Gateway.Http;
using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Gateway.Wire;
using Chatterbox.Silo.Settings;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.SignalR;

namespace Chatterbox.Silo.Gateway;

/// <summary>The door for browsers: who they are, the hub, and HTTP.</summary>
internal static class GatewayExtensions
{
    public const string HubPath = "/hub";

    /// <summary>The policy of requests that hold much at once.</summary>
    public const string Large = "large";

    private const string Operators = "operators";
    private const int PipeBytes = 64 * 1024;
    private const int WaitingLargeRequests = 1000;
    private const int WaitingLargeRequestsPerUser = 100;

    public static void AddChatterboxGateway(this WebApplicationBuilder builder, SiloSettings settings)
    {
        var services = builder.Services;
        services.AddChatterboxAccess(settings);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(Operators, policy => policy.RequireAuthenticatedUser().RequireRole(settings.Auth.OperatorRole));
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. settings.Web.AllowedOrigins]).AllowAnyHeader().WithMethods("GET", "POST", "PUT", "DELETE")
            .WithExposedHeaders("ETag", "Retry-After")));
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes =
                ["application/json", "application/problem+json", "text/html", "text/javascript", "text/css", "image/svg+xml"];
            compression.Providers.Add<BrotliCompressionProvider>();
            compression.Providers.Add<GzipCompressionProvider>();
        });
        services.AddRateLimiter(limits =>
        {
            limits.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            // A user's own first, so that one user's slow requests leave room for the others'.
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(http => IsLarge(http)
                ? RateLimitPartition.GetConcurrencyLimiter(http.User.UserId() ?? "", _ => new()
                {
                    PermitLimit = settings.Web.LargeRequestsPerUser, QueueLimit = WaitingLargeRequestsPerUser,
                })
                : RateLimitPartition.GetNoLimiter(""));
            limits.AddPolicy(Large, _ => RateLimitPartition.GetConcurrencyLimiter(Large, _ => new()
            {
                PermitLimit = settings.Web.LargeRequests, QueueLimit = WaitingLargeRequests,
            }));
        });
        services.ConfigureHttpJsonOptions(json => WireJson.CopyTo(json.SerializerOptions));
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = false);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxConcurrentUpgradedConnections = settings.Web.Connections;
            kestrel.AddServerHeader = false;
        });
        // Its request log has the address, and with it a WebSocket's token.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Http.Connections", LogLevel.Warning);
        // What a browser does wrong is no error of the silo; its own errors are logged by HubErrors.
        builder.Logging.AddFilter("Microsoft.AspNetCore.SignalR.Internal.DefaultHubDispatcher", LogLevel.Critical);

        services.AddChatterboxOpenApi();
        AddHub(services);
        AddBackup(services);
    }

    /// <summary>Who may call, at every door.</summary>
    public static void AddChatterboxAccess(this IServiceCollection services, SiloSettings settings)
    {
        services.AddSingleton(settings.Auth).AddSingleton(settings.Web).AddSingleton<UserTokens>().AddSingleton<UserCalls>();
        services.AddSingleton<OperatorLog>();
        UserTokens.AddSchemes(services, settings);
    }

    /// <summary>Everything that this silo answers on its web addresses, health aside.</summary>
    public static void MapChatterboxGateway(this WebApplication app, SiloSettings settings)
    {
        app.UseStatusCodePages(context => Problems.WriteAsync(context.HttpContext));
        app.Use(Headers.AddAsync);
        app.UseResponseCompression();
        app.UseRouting();
        app.UseCors();
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(Handshake.CheckAsync);
        app.UseRateLimiter();
        app.MapHub<GatewayHub>(HubPath, hub =>
        {
            hub.Transports = HttpTransportType.WebSockets;
            hub.WebSockets.SubProtocolSelector = Subprotocol.Select;
            (hub.ApplicationMaxBufferSize, hub.TransportMaxBufferSize) = (PipeBytes, PipeBytes);
        });

        var api = app.MapGroup("/api").WithMetadata(new BodyLimit(BodyLimit.Small))
            .AddEndpointFilter<Problems>().AddEndpointFilter<CallLimit>()
            .ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status429TooManyRequests).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        MapSession(api.MapGroup("/sessions/{store}").WithTags("Sessions"));
        MapSession(api.MapGroup("/users/{user}/sessions/{store}").WithTags("Operators")
            .WithMetadata(new PathParameter("user")).RequireAuthorization(Operators).AddEndpointFilter<OperatorAudit>());
        AudioApi.Map(api.MapGroup("/audio/{sha256}").WithTags("Audio").AddEndpointFilter(AudioApi.CheckAsync));
        app.MapChatterboxOpenApi();
        if (settings.Web.Dashboard) DashboardPage.Map(app, Operators);
        if (!settings.Auth.IsConfigured) DevTokens.Map(app).AllowAnonymous().AddEndpointFilter<Problems>();
    }

    private static bool IsLarge(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName is Large;

    private static void MapSession(RouteGroupBuilder sessions)
    {
        sessions.AddEndpointFilter(SessionRequest.CheckAsync);
        SessionApi.Map(sessions);
        BackupApi.Map(sessions);
    }

    private static void AddHub(IServiceCollection services)
    {
        services.AddSingleton<GatewayConnections>().AddSingleton<EventFanOut>().AddSingleton<ServedStores>();
        services.AddHostedService<LeaseRenewal>();
        services.AddSingleton<IUserIdProvider, UserIds>().AddSingleton<CallLimits>().AddSingleton<HubErrors>();
        // SignalR waits for a page's pings only once it has sent one, and turns the socket's own off, which browsers answer.
        services.PostConfigure<Microsoft.AspNetCore.Builder.WebSocketOptions>(sockets =>
            (sockets.KeepAliveInterval, sockets.KeepAliveTimeout) =
                (TimeSpan.FromSeconds(WebProtocol.PingSeconds), TimeSpan.FromSeconds(WebProtocol.SilenceSeconds)));
        services.AddSignalR(hub =>
        {
            hub.MaximumReceiveMessageSize = WebProtocol.MessageBytes;
            hub.KeepAliveInterval = TimeSpan.FromSeconds(WebProtocol.PingSeconds);
            hub.ClientTimeoutInterval = TimeSpan.FromSeconds(WebProtocol.SilenceSeconds);
            // A client's calls stay in order.
            hub.MaximumParallelInvocationsPerClient = 1;
            hub.EnableDetailedErrors = false;
            hub.AddFilter<CallLimits>();
            hub.AddFilter<HubErrors>();
        }).AddJsonProtocol(json => json.PayloadSerializerOptions = WireJson.Wire);
    }

    // A client of the session for as long as an export or import takes; what a browser does goes past it.
    private static void AddBackup(IServiceCollection services)
    {
        services.AddSingleton(new ChatterboxClientOptions { Device = "backup" });
        services.AddSingleton<ChatterboxClient>();
    }

    private sealed class UserIds : IUserIdProvider
    {
        public string? GetUserId(HubConnectionContext connection) => ((ClaimsPrincipal)connection.User).UserId();
    }
}
