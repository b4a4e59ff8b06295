using Chatterbox.Grains.Documents;
using Chatterbox.Grains.Persistence;
using Chatterbox.Grains.Tts;

namespace Chatterbox.Grains;

/// <summary>The apps that come with Chatterbox, and their stores. The one place of the engine that names an app.</summary>
internal static class BuiltInApps
{
    public static IReadOnlyList<SiloApp> All { get; } = [TtsSiloApp.Instance, DocumentSiloApp.Instance];

    public static IEnumerable<PersistConfig> Stores => TtsStores.Presets.Concat(DocumentStores.Presets);
}
