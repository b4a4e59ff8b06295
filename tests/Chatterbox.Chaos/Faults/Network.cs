namespace Chatterbox.Chaos.Faults;

/// <summary>
/// A network namespace for each silo, joined in the middle where the database and the clients are. Packets of one direction can
/// be dropped in a silo's own namespace, so that neither side is told.
/// </summary>
internal static class Network
{
    /// <summary>Where the database listens.</summary>
    public const string Middle = "10.77.0.1";

    public const int Silos = 3;

    public static string AddressOf(int silo) => $"10.77.{silo + 1}.2";

    public static string NamespaceOf(int silo) => $"silo{silo}";

    public static async Task CreateAsync()
    {
        // The names of the namespaces are files: here and not in the machine's own folder.
        Directory.CreateDirectory("/run/netns");
        await Shell.RunAsync("mount", "-t", "tmpfs", "none", "/run/netns");
        await Ip("link set lo up");
        await Ip($"address add {Middle}/32 dev lo");
        await File.WriteAllTextAsync("/proc/sys/net/ipv4/ip_forward", "1");
        for (var silo = 0; silo < Silos; silo++)
        {
            var name = NamespaceOf(silo);
            await Ip($"netns add {name}");
            await Ip($"link add {name} type veth peer name eth0 netns {name}");
            await Ip($"address add 10.77.{silo + 1}.1/30 dev {name}");
            await Ip($"link set {name} up");
            await Ip($"-n {name} address add {AddressOf(silo)}/30 dev eth0");
            await Ip($"-n {name} link set lo up");
            await Ip($"-n {name} link set eth0 up");
            await Ip($"-n {name} route add default via 10.77.{silo + 1}.1");
            await Nft(silo, "add table ip cut");
            await Nft(silo, "add chain ip cut output { type filter hook output priority 0 ; }");
            await Nft(silo, "add chain ip cut input { type filter hook input priority 0 ; }");
        }
    }

    /// <summary>Drops one direction until <see cref="HealAsync"/>.</summary>
    public static Task CutAsync(Fault fault, int databasePort)
    {
        var (chain, far) = fault.Kind is FaultKind.Mute ? ("output", "daddr") : ("input", "saddr");
        var port = fault.Kind is FaultKind.Mute ? "dport" : "sport";
        var match = fault.Scope switch
        {
            CutScope.Everybody => "",
            CutScope.OneSilo => $"ip {far} {AddressOf(fault.Peer)} ",
            CutScope.Database => $"ip {far} {Middle} tcp {port} {databasePort} ",
            _ => $"ip {far} 10.77.{fault.Target + 1}.1 ",
        };
        return Nft(fault.Target, $"add rule ip cut {chain} {match}drop");
    }

    public static async Task HealAsync(int silo)
    {
        await Nft(silo, "flush chain ip cut output");
        await Nft(silo, "flush chain ip cut input");
    }

    private static Task Ip(string arguments) => Shell.RunAsync("ip", arguments.Split(' '));

    private static Task Nft(int silo, string rule) => Shell.RunAsync("ip", ["netns", "exec", NamespaceOf(silo), "nft", rule]);
}
