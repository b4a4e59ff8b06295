using System.Diagnostics;
using System.Net.Sockets;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>A pooler in front of a PostgreSQL server of the tests'.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("chatterbox-pgbouncer-").FullName;
    private Process? _process;

    private PgBouncer() => Port = FreePort.Next();

    public static string? Missing { get; } = PostgresServer.Missing
        ?? (File.Exists(Program) ? null : "PgBouncer is not installed: apt-get install pgbouncer");

    public int Port { get; }

    private static string Program => "/usr/sbin/pgbouncer";

    public static async Task<PgBouncer> StartAsync(int server, string mode, string ignored)
    {
        var pooler = new PgBouncer();
        var settings = Path.Combine(pooler._folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(settings, $"""
            [databases]
            * = host=127.0.0.1 port={server} user=chatterbox
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {pooler.Port}
            auth_type = any
            pool_mode = {mode}
            ignore_startup_parameters = {ignored}
            unix_socket_dir =
            """);
        await PostgresServer.OwnAsync(pooler._folder);
        // It refuses to run as root.
        string[] command = Environment.IsPrivilegedProcess
            ? ["setpriv", $"--reuid={PostgresServer.Account}", "--clear-groups", Program]
            : [Program];
        pooler._process =
            Process.Start(new ProcessStartInfo(command[0], [.. command[1..], "-q", settings]) { RedirectStandardError = true })!;
        var waited = Stopwatch.StartNew();
        while (!await pooler.AnswersAsync())
        {
            if (pooler._process.HasExited || waited.Elapsed > StartTimeout)
                throw new InvalidOperationException(
                    $"PgBouncer did not start: {await pooler._process.StandardError.ReadToEndAsync()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
        return pooler;
    }

    public async ValueTask DisposeAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>A theory that needs PgBouncer. Where it is missing it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PgBouncerTheoryAttribute : TheoryAttribute
{
    public PgBouncerTheoryAttribute() => Skip = PgBouncer.Missing;
}
