using System.Diagnostics;
using Npgsql;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>
/// A PostgreSQL server of the tests' own, from the system's binaries: data in a temporary folder, a free port on loopback,
/// settings at their durable defaults. It can be killed and started again, as if the machine had lost power.
/// </summary>
public sealed partial class PostgresServer : IAsyncDisposable
{
    private static readonly string? Binaries = FindBinaries();
    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(StartSharedAsync);

    private readonly NetworkNamespace? network;
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"chatterbox-pg-{Guid.NewGuid():N}");
    private Process? server;
    private int databases;

    private PostgresServer(NetworkNamespace? network, string address)
    {
        (this.network, Port) = (network, FreePort.Next());
        Host = network?.Address ?? address;
    }

    /// <summary>Why no server can be started here; null if one can.</summary>
    public static string? Missing { get; } =
        Binaries is null ? "PostgreSQL is not installed: apt-get install postgresql" : null;

    public int Port { get; }

    public string Host { get; }

    /// <summary>Of the server itself; its backends are its children.</summary>
    public int ProcessId => server!.Id;

    /// <summary>One for the whole test run. It ends with the process.</summary>
    public static Task<PostgresServer> SharedAsync() => SharedServer.Value;

    /// <param name="network">Where the server runs; null for this machine's own network.</param>
    /// <param name="address">Where it listens. Beyond loopback it takes connections from everywhere, without a password.</param>
    public static async Task<PostgresServer> StartNewAsync(NetworkNamespace? network = null, string address = "127.0.0.1")
    {
        var server = new PostgresServer(network, address);
        Directory.CreateDirectory(server.folder);
        await OwnAsync(server.folder);
        await RunAsync("initdb", ["-D", server.Data, "-U", "chatterbox", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        if (server.Host != "127.0.0.1")
            await File.AppendAllTextAsync(Path.Combine(server.Data, "pg_hba.conf"), "host all all all trust\n");
        await server.StartAsync();
        return server;
    }

    public string ConnectionString(string database) =>
        $"Host={Host};Port={Port};Username=chatterbox;Database={database};Pooling=true;Maximum Pool Size=40;Timeout=15";

    public async Task StartAsync()
    {
        server = Process.Start(StartInfo("postgres", network,
            ["-D", Data, "-p", $"{Port}", "-c", $"listen_addresses={(network is null ? Host : "*")}",
                "-c", "unix_socket_directories=", "-c", "max_connections=500",
                "-c", "logging_collector=on", "-c", "log_filename=server.log"]))!;
        var patience = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            // After a kill, the old server's children may still hold its shared memory for a moment.
            if (server.HasExited)
                server = Process.Start(server.StartInfo)!;
            if (patience.Elapsed > TimeSpan.FromSeconds(30))
                throw new TimeoutException($"PostgreSQL did not start; see {Data}/log.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>SIGKILL, to the server and all its children at once.</summary>
    public async Task KillAsync()
    {
        NpgsqlConnection.ClearAllPools();
        server!.Kill(entireProcessTree: true);
        await server.WaitForExitAsync();
    }

    /// <summary>Refuses writes, as a standby does. New connections only, so those in the pool have to go.</summary>
    public async Task SetReadOnlyAsync(string database, bool readOnly)
    {
        await ExecuteAsync("postgres",
            $"ALTER DATABASE {database} SET default_transaction_read_only = {(readOnly ? "on" : "off")}");
        NpgsqlConnection.ClearAllPools();
    }

    /// <summary>An empty database, or a copy of another.</summary>
    public async Task<string> CreateEmptyDatabaseAsync(string? template = null)
    {
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await ExecuteAsync("postgres", $"CREATE DATABASE {name}{(template is null ? "" : $" TEMPLATE {template}")}");
        return name;
    }

    public async Task DropDatabaseAsync(string database)
    {
        await using (var connection = new NpgsqlConnection(ConnectionString(database)))
            NpgsqlConnection.ClearPool(connection);
        await ExecuteAsync("postgres", $"DROP DATABASE {database} WITH (FORCE)");
    }

    /// <summary>Makes a folder the server's own, as it wants its data to be.</summary>
    public static Task OwnAsync(string folder) =>
        Environment.IsPrivilegedProcess ? RunAsync("chown", [Account, folder]) : Task.CompletedTask;

    public async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (server is { HasExited: false })
            await KillAsync();
        Directory.Delete(folder, recursive: true);
    }

    private string Data => Path.Combine(folder, "data");

    /// <summary>PostgreSQL refuses to run as root.</summary>
    internal static string Account =>
        File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private static async Task<PostgresServer> StartSharedAsync()
    {
        var server = await StartNewAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(5));
        return server;
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await ExecuteAsync("postgres", "SELECT 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static async Task RunAsync(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(StartInfo(program, arguments))!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} failed with {process.ExitCode}: {output}");
    }

    private static ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments) =>
        StartInfo(program, null, arguments);

    private static ProcessStartInfo StartInfo(string program, NetworkNamespace? network, IEnumerable<string> arguments)
    {
        var path = Path.Combine(Binaries!, program);
        var mine = File.Exists(path);
        // setpriv replaces itself with the program, so that the process started here is the server.
        var info = mine && Environment.IsPrivilegedProcess
            ? new ProcessStartInfo(
                network is null ? "setpriv" : "ip",
                [.. network is null ? (string[])[] : ["netns", "exec", network.Name, "setpriv"], $"--reuid={Account}",
                    "--clear-groups", path, .. arguments])
            : new ProcessStartInfo(mine ? path : program, arguments);
        info.RedirectStandardOutput = program != "postgres";
        info.WorkingDirectory = "/";
        return info;
    }

    private static string? FindBinaries() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(version => double.TryParse(Path.GetFileName(version), out var number) ? number : 0)
                .Select(version => Path.Combine(version, "bin"))
                .FirstOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
            : Environment.GetEnvironmentVariable("PATH")?.Split(':')
                .FirstOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")));
}
