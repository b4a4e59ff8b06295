using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Chatterbox.Client;

/// <summary>How a client process reaches its silos.</summary>
public sealed class ChatterboxClientOptions
{
    /// <summary>
    /// Gateways of the silos: addresses (<see cref="IPEndPoint"/>), or names (<see cref="DnsEndPoint"/>), each of which stands
    /// for all the addresses it resolves to. Default: 127.0.0.1:30000, a silo on this machine.
    /// </summary>
    public IList<EndPoint> Gateways { get; } = [];

    /// <summary>How often names in <see cref="Gateways"/> are resolved again. 1 s to 10 min; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan GatewayRefresh { get; set; } = TimeSpan.FromSeconds(5);

    public string ClusterId { get; set; } = "chatterbox";

    public string ServiceId { get; set; } = "chatterbox";

    /// <summary>
    /// The silos' <c>Chatterbox__Auth__ServiceKey</c>, with which this process acts for any user. Null, the default: silos with
    /// authentication deny its calls.
    /// </summary>
    public string? ServiceKey { get; set; }

    /// <summary>
    /// Gives the token of the one user for whom this process acts, for each call, where it has no <see cref="ServiceKey"/>: the
    /// current one, renewed in time. Null, the default: none.
    /// </summary>
    public Func<string>? UserToken { get; set; }

    /// <summary>
    /// The name in the silos' certificates, where they use TLS; then connections are encrypted. Null, the default: they are not.
    /// </summary>
    public string? TlsServerName { get; set; }

    /// <summary>
    /// A PEM file with the authorities whose certificates are accepted. Null, the default: those that the machine trusts.
    /// </summary>
    public string? TlsAuthority { get; set; }

    /// <summary>A PEM file with this client's certificate, where silos require one. Default null: none.</summary>
    public string? TlsCertificate { get; set; }

    /// <summary>A PEM file with its key. Default null: in the certificate's file.</summary>
    public string? TlsKey { get; set; }

    /// <summary>The name that the user's other clients see. 1 to 200 characters; default: the machine's name.</summary>
    public string Device { get; set; } = Environment.MachineName;

    /// <summary>
    /// How often each open store renews its lease and checks for missed events; a third of the lease if that is shorter. 50 ms to
    /// 5 min; default 5 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:05:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A call not answered in this time is tried again. A call that may be repeated safely is tried again sooner: after 2, 2, 2,
    /// 4 and 8 s, pieces of a clip after 5, 5 and 5 s. 100 ms to 1 h; default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two attempts to reach the session. 10 ms to 10 min; default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long closing a store waits for its changes to become durable. 0 to 1 h; default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The most changes in a store's outbox, where they stay until durable; further changes wait for room. 1 to 1,000,000;
    /// default 10,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int OutboxChanges { get; set; } = 10_000;

    /// <summary>
    /// The most bytes in a store's outbox, as JSON or an upper bound of it. 1 KiB to 1 GiB; default 64 MiB. A larger single
    /// change is refused.
    /// </summary>
    [Range(1024L, 1024L * 1024 * 1024)]
    public long OutboxBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// How long a change waits for room in the outbox before an <see cref="OutboxFullException"/>. 0 to 1 h; default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan OutboxWait { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A folder on this device in which each store keeps its changes that are not durable yet. They survive a killed client, and
    /// are sent by the next client that opens the same session here. Null, the default, keeps them in memory only. A missing
    /// folder is created. It must not be copied to another device.
    /// </summary>
    /// <remarks>
    /// A change is written to the file before it shows. The file survives any end of the process; it survives a power failure
    /// only with <see cref="OutboxFlushToDisk"/>. Changes of slices that are never stored describe work in progress and are not
    /// kept.
    /// </remarks>
    public string? OutboxDirectory { get; set; }

    /// <summary>
    /// Flushes each change to disk, so that it also survives a power failure. Costs one disk flush per change.
    /// Default false.
    /// </summary>
    public bool OutboxFlushToDisk { get; set; }

    /// <summary>
    /// Keeps trying when no silo answers as the host starts. Stores can be opened meanwhile: they show the outbox on disk and
    /// accept changes. Default false: the start fails.
    /// </summary>
    public bool KeepConnecting { get; set; }

    /// <summary>For tests: resolves a host name.</summary>
    internal Func<string, Task<IPAddress[]>> Resolve { get; set; } = Dns.GetHostAddressesAsync;

    /// <summary>For tests: the protocol version of another client version.</summary>
    internal int ProtocolVersion { get; set; } = Protocol.Version;

    /// <exception cref="ArgumentException">An option is out of its range; the message names all that are.</exception>
    internal void EnsureValid()
    {
        var outOfRange = new List<ValidationResult>();
        Validator.TryValidateObject(this, new ValidationContext(this), outOfRange, validateAllProperties: true);
        var problems = outOfRange.Select(each => each.ErrorMessage!).ToList();
        problems.AddRange(Gateways.Where(gateway => gateway is not (IPEndPoint or DnsEndPoint))
            .Select(gateway =>
                $"{nameof(Gateways)}: must be addresses or names with a port, was {gateway?.GetType().Name ?? "null"}"));
        if (TlsServerName is null && (TlsAuthority ?? TlsCertificate ?? TlsKey) is not null)
            problems.Add($"{nameof(TlsServerName)}: must be the name in the silos' certificates with TLS, was null");
        if (Text.CheckName(nameof(Device), Device) is { } wrong) problems.Add(wrong.Message);
        if (OutboxDirectory is not null && string.IsNullOrWhiteSpace(OutboxDirectory))
        {
            problems.Add(Rejection.OfText(nameof(OutboxDirectory), OutboxDirectory, "the path of a folder, or null").Message);
        }
        if (problems.Count > 0) throw new ArgumentException(string.Join(" ", problems));
    }
}
