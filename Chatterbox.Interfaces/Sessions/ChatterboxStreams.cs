namespace Chatterbox;

/// <summary>The streams between silos and client processes.</summary>
public static class ChatterboxStreams
{
    /// <summary>
    /// The stream provider's name, on silos and clients. Not that of the grain storage: Orleans would keep subscriptions there.
    /// </summary>
    public const string Provider = "chatterbox-events";

    private const string Namespace = "chatterbox.process";

    /// <summary>The one stream of a client process, for the events of all its sessions.</summary>
    public static StreamId OfProcess(string process) => StreamId.Create(Namespace, process);
}
