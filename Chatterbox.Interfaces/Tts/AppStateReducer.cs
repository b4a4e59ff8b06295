namespace Chatterbox;

/// <summary>The result of a change of an <see cref="AppState"/>.</summary>
public readonly record struct AppStateResult(AppState State, Rejection? Rejection);

/// <summary>Applies changes to an <see cref="AppState"/>: <see cref="AppDefinition.Apply"/>, typed.</summary>
public static class AppStateReducer
{
    /// <inheritdoc cref="AppDefinition.Apply"/>
    public static AppStateResult Apply(AppState state, SessionChange change, ValueList<string>? slices = null)
    {
        var (after, rejection) = TtsApp.Instance.Apply(state, change, slices);
        return new((AppState)after, rejection);
    }
}
