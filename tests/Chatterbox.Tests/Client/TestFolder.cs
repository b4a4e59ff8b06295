using Chatterbox.Client.Outbox;

namespace Chatterbox.Tests.Client;

/// <summary>A folder that is gone after the test, with an outbox in it.</summary>
internal sealed class TestFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("chatterbox-outbox-");

    public string File => Path.Combine(_folder.FullName, "alice.outbox");

    public IEnumerable<string> Files => _folder.EnumerateFiles().Select(file => file.Name).Order(StringComparer.Ordinal);

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public OutboxFile Open(string client = "c1", Func<string, FileMode, Stream>? open = null) =>
        OutboxFile.TryOpen(File, TtsApp.Instance, "alice/app-state", client, flush: false, TimeProvider.System, open)
        ?? throw new InvalidOperationException("In use.");

    public void Dispose() => _folder.Delete(recursive: true);
}
