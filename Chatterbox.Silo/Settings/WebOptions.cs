using System.ComponentModel.DataAnnotations;

namespace Chatterbox.Silo.Settings;

/// <summary><c>Chatterbox__Web__…</c>: what browsers may do.</summary>
public sealed class WebOptions
{
    /// <summary>
    /// Origins of pages, other than the silo's own, that may call: <c>https://app.example.com</c>, separated by ';'. Default
    /// empty: none.
    /// </summary>
    public string Origins { get; set; } = "";

    /// <summary>
    /// Whether Orleans' dashboard is served at <c>/dashboard</c>, to operators. It profiles calls while somebody looks, and reads
    /// Orleans' metrics each second. Default false.
    /// </summary>
    public bool Dashboard { get; set; }

    /// <summary>
    /// The folder of the page at <c>/</c>: <c>index.html</c> and <c>assets/</c>. Relative to the binary. Default <c>page</c>,
    /// which a build with Node fills.
    /// </summary>
    public string Page { get; set; } = "page";

    /// <summary>WebSockets open at once. Default 10,000; 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int Connections { get; set; } = 10_000;

    /// <summary>WebSockets open at once of one user. Default 20; 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int ConnectionsPerUser { get; set; } = 20;

    /// <summary>
    /// Calls of one user a second, on the hub over all connections, by HTTP, and over the Orleans gateway with a token; twice
    /// that in a burst. Default 500; 1 to 100,000.
    /// </summary>
    [Range(1, 100_000)]
    public int CallsPerSecond { get; set; } = 500;

    /// <summary>
    /// Large requests under way at once: snapshots, changes by HTTP, pieces of audio, exports, imports. Others wait. Default 64;
    /// 1 to 10,000.
    /// </summary>
    [Range(1, 10_000)]
    public int LargeRequests { get; set; } = 64;

    /// <summary>Of these, those of one user. Default 16; 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int LargeRequestsPerUser { get; set; } = 16;

    /// <summary>Bytes of an imported document, its audio included. Default 1 GiB; 1 MiB to 1 TiB.</summary>
    [Range((double)(1L << 20), (double)(1L << 40))]
    public long ImportBytes { get; set; } = 1L << 30;

    internal IReadOnlyList<string> AllowedOrigins =>
        Origins.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <exception cref="SettingsException"/>
    internal void Resolve()
    {
        foreach (var origin in AllowedOrigins)
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http")
                || address.GetLeftPart(UriPartial.Authority) != origin)
                throw SettingsException.For(
                    "Chatterbox:Web:Origins", origin, "origins such as https://app.example.com, without a path");
        }
    }
}
