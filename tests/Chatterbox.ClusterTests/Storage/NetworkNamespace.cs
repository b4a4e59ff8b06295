using System.Diagnostics;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>
/// A network of its own for a server, as if it were another machine, with two links to this one. A link can be cut: both sides
/// keep their connections and hear nothing of each other any more.
/// </summary>
public sealed class NetworkNamespace : IAsyncDisposable
{
    /// <summary>Slow enough that a batch is under way for a while.</summary>
    private const string Rate = "200mbit";

    private static int _count;

    private readonly int _number = (Environment.ProcessId * 8 + Interlocked.Increment(ref _count)) % 250;

    private NetworkNamespace()
    {
    }

    /// <summary>Why there can be none here; null if there can.</summary>
    public static string? Missing { get; } = FindMissing();

    public string Name => $"cbx{_number}";

    /// <summary>The server's address by the first link.</summary>
    public string Address => $"10.213.{_number}.2";

    /// <summary>The same by the second.</summary>
    public string OtherAddress => $"10.214.{_number}.2";

    public static async Task<NetworkNamespace> CreateAsync()
    {
        var network = new NetworkNamespace();
        await IpAsync($"netns add {network.Name}");
        try
        {
            await network.LinkAsync("a", network.Address);
            await network.LinkAsync("b", network.OtherAddress);
            await IpAsync($"-n {network.Name} link set dev lo up");
            await RunAsync("tc", $"qdisc add dev {network.Name}a root tbf rate {Rate} burst 64kb latency 50ms");
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
        return network;
    }

    /// <summary>Cuts the first link.</summary>
    public Task CutAsync() => IpAsync($"link set dev {Name}a down");

    public Task MendAsync() => IpAsync($"link set dev {Name}a up");

    // Its links go with it.
    public async ValueTask DisposeAsync() => await IpAsync($"netns del {Name}");

    private async Task LinkAsync(string link, string address)
    {
        await IpAsync($"link add {Name}{link} type veth peer name eth{link} netns {Name}");
        await IpAsync($"addr add {address[..^1]}1/24 dev {Name}{link}");
        await IpAsync($"link set dev {Name}{link} up");
        await IpAsync($"-n {Name} addr add {address}/24 dev eth{link}");
        await IpAsync($"-n {Name} link set dev eth{link} up");
    }

    private static string? FindMissing()
    {
        try
        {
            const string Probe = "cbxprobe";
            IpAsync($"netns add {Probe}").GetAwaiter().GetResult();
            IpAsync($"netns del {Probe}").GetAwaiter().GetResult();
            RunAsync("tc", "-V").GetAwaiter().GetResult();
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"Network namespaces need root, ip and tc here: {e.Message}";
        }
    }

    private static Task IpAsync(string arguments) => RunAsync("ip", arguments);

    private static async Task RunAsync(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {arguments}: {error}");
    }
}
