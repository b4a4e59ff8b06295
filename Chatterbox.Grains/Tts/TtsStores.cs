using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Tts;

/// <summary>The presets of the text-to-speech app.</summary>
public static class TtsStores
{
    private static readonly PersistConfig Whole = Of(SessionId.DefaultStore, Partializers.WholeApp);
    private static readonly PersistConfig Preferences = Of("minimal", Partializers.PreferencesOnly);
    private static readonly PersistConfig Work =
        Of("session-only", Partializers.ChunksAndBatches) with { ExpiresAfter = TimeSpan.FromDays(1) };
    private static readonly PersistConfig Unfinished = Of("recovery", Partializers.Unfinished);

    internal static IEnumerable<PersistConfig> Presets => [Whole, Preferences, Work, Unfinished];

    extension(PersistConfig)
    {
        /// <summary>The whole app: everything except the oldest work sessions.</summary>
        public static PersistConfig AppState => Whole;

        /// <summary>Preferences only.</summary>
        public static PersistConfig Minimal => Preferences;

        /// <summary>Work in progress, for a day.</summary>
        public static PersistConfig SessionOnly => Work;

        /// <summary>Only work that is not completed, to recover it after a crash.</summary>
        public static PersistConfig Recovery => Unfinished;
    }

    private static PersistConfig Of(string name, Func<AppState, AppState> partialize) =>
        new() { Name = name, App = TtsSiloApp.Instance, Partialize = state => partialize((AppState)state) };
}
