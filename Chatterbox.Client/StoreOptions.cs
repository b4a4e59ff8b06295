namespace Chatterbox.Client;

/// <summary>Options of one store.</summary>
public sealed record StoreOptions
{
    public static StoreOptions Default { get; } = new();

    /// <summary>
    /// The names of the slices to keep in sync; null, the default, is all. The others are not sent to this client: the state
    /// shows
    /// their initial value, and changes of them are refused here.
    /// </summary>
    public IReadOnlyCollection<string>? Slices { get; init; }

    /// <summary>
    /// Keeps the slices in sync that the user has chosen (<see cref="AppDefinition.ChosenSlices"/>), and the one that holds the
    /// choice. Follows it when it changes, on whatever device. Default false; not together with <see cref="Slices"/>.
    /// </summary>
    public bool FollowUserChoice { get; init; }

    /// <summary>Called with the store before it starts to hydrate: subscriptions made here miss no event.</summary>
    public Action<AppStore>? Configure { get; init; }

    /// <exception cref="ArgumentException">A slice is unknown, or both ways to select slices are used.</exception>
    internal StoreOptions EnsureValid(AppDefinition app)
    {
        if (FollowUserChoice && app.ChoiceSlice is null)
        {
            throw new ArgumentException(
                new Rejection("FollowUserChoice", "true", $"false: the app {app.Name} keeps no choice of slices").Message);
        }
        if (Slices is null) return this;
        if (FollowUserChoice)
        {
            throw new ArgumentException(new Rejection("slices", "a list", "null when FollowUserChoice is set").Message);
        }
        return app.CheckSlices(Slices.ToValueList()) is { } wrong ? throw new ArgumentException(wrong.Message) : this;
    }
}
