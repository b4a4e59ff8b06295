using System.Diagnostics;
using Chatterbox.ClusterTests.Storage;

namespace Chatterbox.Chaos.Faults;

/// <summary>
/// A run happens in network, process and mount namespaces of its own: what it cuts, kills and leaves behind is
/// nobody else's, and ends with it.
/// </summary>
internal static class Sandbox
{
    private const string Inside = "CHATTERBOX_CHAOS_INSIDE";

    public static bool IsInside => Environment.GetEnvironmentVariable(Inside) is not null;

    /// <summary>Why no run is possible here; null if one is.</summary>
    public static string? Missing { get; } =
        PostgresServer.Missing
        ?? (Environment.IsPrivilegedProcess ? null : "The chaos run needs root, for namespaces of its own.")
        ?? ((string[])["unshare", "ip", "nft"]).Where(program => Shell.Find(program) is null)
            .Select(program => $"The chaos run needs {program}: apt-get install iproute2 nftables").FirstOrDefault();

    /// <summary>
    /// Starts this program again in a sandbox, and returns its exit code. All that it has started ends with it.
    /// </summary>
    /// <param name="heard">Called with each line of its output; without it the output is this program's own.</param>
    public static async Task<int> RunAsync(IEnumerable<string> arguments, Action<string>? heard = null,
        CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo(Shell.Find("unshare")!,
        [
            "--net", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child", "--", "dotnet", Programs.Self, .. arguments,
        ])
        {
            RedirectStandardOutput = heard is not null,
            RedirectStandardError = heard is not null,
        };
        start.Environment[Inside] = "1";
        using var process = Process.Start(start)!;
        if (heard is not null)
        {
            process.OutputDataReceived += (_, line) => Hear(line.Data);
            process.ErrorDataReceived += (_, line) => Hear(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }

        void Hear(string? line)
        {
            if (line is not null) heard(line);
        }
    }
}
