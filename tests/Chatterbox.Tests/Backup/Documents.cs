using System.Text;
using Chatterbox.Client.Backup;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Backup;

/// <summary>Documents as an import reads them, without a session behind it.</summary>
internal static class Documents
{
    public static MigrationChain Migrations { get; } = new([new DefaultEngineAndParameters()]);

    public static Stream Fixture(string name) => File.OpenRead(Path.Combine(AppContext.BaseDirectory, "fixtures", name));

    public static Stream Of(string json) => new MemoryStream(Encoding.UTF8.GetBytes(json));

    public static async Task<(ImportDocument Document, IReadOnlyList<byte[]> Clips)> ReadAsync(Stream stream)
    {
        var (clips, bytes) = (new List<DocumentClip>(), new List<byte[]>());
        var scan = new DocumentScan(stream)
        {
            OnClip = clip =>
            {
                clips.Add(ImportDocument.Describe(clip));
                bytes.Add(clip.Bytes);
                return Task.CompletedTask;
            },
        };
        return (ImportDocument.Parse(await scan.RunAsync(CancellationToken.None), clips), bytes);
    }

    public static async Task<(AppState? State, ImportReport Report)> ImportAsync(Stream stream, params string[] missing)
    {
        var (document, _) = await ReadAsync(stream);
        return BrowserState.Read(
            new(document.State(), document.Version, DryRun: true, document.Format, missing.ToValueList()), Migrations);
    }

    public static async Task<BackupFormatException> RefusedAsync(Stream stream) =>
        await Assert.ThrowsAsync<BackupFormatException>(() => ReadAsync(stream));
}
