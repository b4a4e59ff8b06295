using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;

namespace Chatterbox.Silo;

/// <summary>What the console shows: where everything is, or the setting to correct.</summary>
internal static class StartUp
{
    /// <summary>
    /// The exit code: 0 when stopped as asked, 1 when a setting has to be corrected first: a message names it, no stack trace.
    /// </summary>
    public static async Task<int> RunAsync(Func<Task<int>> run)
    {
        UseInvariantCulture();
        try
        {
            return await run();
        }
        catch (Exception failure)
        {
            await Console.Error.WriteLineAsync($"Chatterbox cannot run. {Explain(failure)}");
            return 1;
        }
    }

    /// <summary>Numbers, dates and comparisons are the same on every machine, whatever its locale.</summary>
    internal static void UseInvariantCulture()
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
    }

    /// <summary>
    /// Asked before the silo starts, since Orleans and the web server would tell in the middle of the silo's own start.
    /// </summary>
    /// <exception cref="SettingsException"/>
    public static void EnsurePortsAreFree(SiloSettings settings, IConfiguration configuration)
    {
        EnsureFree("Chatterbox:Silo:Port", settings.Silo.ListenOn, settings.Silo.Port, $"{settings.Silo.Port}");
        EnsureFree("Chatterbox:Gateway:Port", settings.Silo.ListenOn, settings.Gateway.Port, $"{settings.Gateway.Port}");
        foreach (var url in configuration[WebHostDefaults.ServerUrlsKey]?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            var address = ParseUrl(url);
            // A name or '*' is left to the web server; port 0 is free by definition.
            if (address.Port != 0
                && IPAddress.TryParse(address.Host is "localhost" ? "127.0.0.1" : address.Host.Trim('[', ']'), out var ip))
                EnsureFree("ASPNETCORE_URLS", ip, address.Port, url);
        }
    }

    internal static BindingAddress ParseUrl(string url)
    {
        try
        {
            return BindingAddress.Parse(url);
        }
        catch (FormatException e)
        {
            throw SettingsException.For("ASPNETCORE_URLS", url, "addresses such as http://127.0.0.1:5080, separated by ';'", e);
        }
    }

    /// <summary>Held while this process uses the database: SQLite serves one process only.</summary>
    /// <exception cref="SettingsException">Another process uses it.</exception>
    public static IDisposable Own(DatabaseOptions database) =>
        DatabaseDialect.Of(database.Provider).Lock(database.Resolve().ConnectionString);

    private static void EnsureFree(string setting, IPAddress address, int port, string value)
    {
        using var listener = new TcpListener(address, port);
        try
        {
            listener.Start();
        }
        catch (SocketException e)
        {
            throw SettingsException.For(setting, value, $"a port that is free on this machine ({e.Message})", e);
        }
    }

    public static void Migrate(DatabaseOptions database)
    {
        using var owned = Own(database);
        DatabaseSchema.Migrate(database);
        Console.WriteLine(
            $"The schema is up to date: {DatabaseDialect.Of(database.Provider).Describe(database.ConnectionString)}");
        Warn(database);
    }

    /// <exception cref="SettingsException"/>
    public static void EnsureDatabase(DatabaseOptions database)
    {
        DatabaseSchema.Ensure(database);
        Warn(database);
    }

    private static void Warn(DatabaseOptions database)
    {
        foreach (var warning in DatabaseSchema.Warnings(database))
            Console.Error.WriteLine($"Warning: {warning}");
    }

    public static void Greet(SiloSettings settings, IEnumerable<string> urls)
    {
        var database = settings.Database;
        Console.WriteLine($"""
            Chatterbox is running.
              data     {database.Provider}: {DatabaseDialect.Of(database.Provider).Describe(database.ConnectionString)}
              clients  gateway port {settings.Gateway.Port} (silo port {settings.Silo.Port})
              http     {string.Join(", ", urls)}  (/hub, /api, /openapi/v1.json, /health/live, /health/ready)
              access   {(settings.Auth.IsConfigured ? "with a token or the service key" : "everybody on this machine")}

            Try next, in another shell:
              chatterbox import alice file.json     import a browser app's state
              chatterbox watch alice                see every change as it arrives
              chatterbox set alice temperature=0.9  make one
            Ctrl+C saves every session and stops the silo.
            """);
    }

    private static string Explain(Exception failure) => failure switch
    {
        SettingsException => failure.Message,
        AggregateException { InnerExceptions.Count: 1 } many => Explain(many.InnerExceptions[0]),
        _ => $"{failure.GetType().Name}: {failure.Message}",
    };
}
