namespace Chatterbox.Client;

/// <summary>Options of one store.</summary>
public sealed record StoreOptions
{
    public static StoreOptions Default { get; } = new();

    /// <summary>
    /// The slices to keep in sync; null, the default, is all. The others are not sent to this client: the state shows their
    /// initial value, and changes of them are refused here.
    /// </summary>
    public IReadOnlyCollection<Slice>? Slices { get; init; }

    /// <summary>
    /// Keeps the slices in sync that the user has chosen (<see cref="Preferences.SyncedSlices"/>), and the preferences, which
    /// hold the choice. Follows it when it changes, on whatever device. Default false; not together with <see cref="Slices"/>.
    /// </summary>
    public bool FollowUserChoice { get; init; }

    /// <summary>Called with the store before it starts to hydrate: subscriptions made here miss no event.</summary>
    public Action<ChatterboxStore>? Configure { get; init; }

    /// <exception cref="ArgumentException">A slice is unknown, or both ways to select slices are used.</exception>
    internal StoreOptions EnsureValid()
    {
        if (Slices is null) return this;
        if (FollowUserChoice)
        {
            throw new ArgumentException(new Rejection("slices", "a list", "null when FollowUserChoice is set").Message);
        }
        return Validation.CheckSlices(Slices.ToValueList()) is { } wrong ? throw new ArgumentException(wrong.Message) : this;
    }
}
