using Chatterbox.Grains;
using Chatterbox.Silo.Storage;

namespace Chatterbox.Silo.Settings;

/// <summary>Everything below <c>Chatterbox</c> in the configuration: <c>Chatterbox__Database__Provider</c> and so on.</summary>
public sealed class SiloSettings
{
    public const string SectionName = "Chatterbox";

    public DatabaseOptions Database { get; init; } = new();
    public ClusteringOptions Cluster { get; init; } = new();
    public SiloEndpointOptions Silo { get; init; } = new();
    public GatewayOptions Gateway { get; init; } = new();
    public ChatterboxOptions Session { get; init; } = new();
    public TelemetryOptions Telemetry { get; init; } = new();
    public AuthOptions Auth { get; init; } = new();
    public WebOptions Web { get; init; } = new();
    public TlsOptions Tls { get; init; } = new();

    /// <exception cref="SettingsException">A setting is unknown or out of range; the message lists all of them.</exception>
    public static SiloSettings Read(IConfiguration configuration)
    {
        var root = configuration.GetSection(SectionName);
        var own = new Dictionary<string, Type>(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(Database)] = typeof(DatabaseOptions),
            [nameof(Cluster)] = typeof(ClusteringOptions),
            [nameof(Silo)] = typeof(SiloEndpointOptions),
            [nameof(Gateway)] = typeof(GatewayOptions),
            [nameof(Session)] = typeof(ChatterboxOptions),
            [nameof(Telemetry)] = typeof(TelemetryOptions),
            [nameof(Auth)] = typeof(AuthOptions),
            [nameof(Web)] = typeof(WebOptions),
            [nameof(Tls)] = typeof(TlsOptions),
        };

        var problems = new List<string>();
        foreach (var section in root.GetChildren())
        {
            if (own.TryGetValue(section.Key, out var options))
                SettingsCheck.Check(section, options, problems);
            else
                problems.Add(SettingsCheck.Unknown(section, own.Keys));
        }
        if (problems.Count > 0)
            throw new SettingsException(string.Join(Environment.NewLine, problems));

        var settings = new SiloSettings
        {
            Database = Bind<DatabaseOptions>(nameof(Database)),
            Cluster = Bind<ClusteringOptions>(nameof(Cluster)),
            Silo = Bind<SiloEndpointOptions>(nameof(Silo)),
            Gateway = Bind<GatewayOptions>(nameof(Gateway)),
            Session = Bind<ChatterboxOptions>(nameof(Session)),
            Telemetry = Bind<TelemetryOptions>(nameof(Telemetry)),
            Auth = Bind<AuthOptions>(nameof(Auth)),
            Web = Bind<WebOptions>(nameof(Web)),
            Tls = Bind<TlsOptions>(nameof(Tls)),
        };
        settings.CheckTogether();
        return settings;

        T Bind<T>(string name) where T : new() =>
            root.GetSection(name).Get<T>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new T();
    }

    /// <summary>What no setting can say alone.</summary>
    private void CheckTogether()
    {
        Database.Resolve();
        if (Session.Problems is { Count: > 0 } problems)
            throw new SettingsException(string.Join(Environment.NewLine,
                problems.Select(problem => $"Chatterbox__Session__{problem}")));
        Database.ResolveFallback(Silo.Port);
        Silo.Resolve();
        Telemetry.Resolve();
        Auth.Resolve(Cluster.Mode);
        Web.Resolve();
        Tls.Resolve();
        if (Silo.Port == Gateway.Port)
            throw SettingsException.For("Chatterbox:Gateway:Port", $"{Gateway.Port}", "a port other than Chatterbox__Silo__Port");
        if (Cluster.Mode is ClusteringMode.AdoNet && Database.Provider is DatabaseProvider.Sqlite)
            throw SettingsException.For("Chatterbox:Cluster:Mode", $"{Cluster.Mode}",
                "Localhost while Chatterbox__Database__Provider is Sqlite, which serves one silo; "
                + "PostgreSql and SqlServer serve several");
    }
}
