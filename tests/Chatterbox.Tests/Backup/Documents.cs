using System.Text;
using Chatterbox.Client.Backup;
using Chatterbox.Grains.Tts.Import;
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
        var (clips, bytes, mends) = (new List<DocumentClip>(), new List<byte[]>(), new MendList());
        var scan = new DocumentScan(TtsApp.Instance, stream)
        {
            OnClip = clip =>
            {
                clips.Add(ImportDocument.Describe(clip));
                bytes.Add(clip.Bytes);
                return Task.CompletedTask;
            },
            OnMend = mends.Add,
        };
        return (ImportDocument.Parse(TtsApp.Instance, await scan.RunAsync(CancellationToken.None), clips, mends), bytes);
    }

    public static async Task<(AppState? State, ImportReport Report)> ImportAsync(Stream stream, params string[] missing)
    {
        var (document, _) = await ReadAsync(stream);
        var (state, report) = ImportReader.Read(
            new(document.State(), document.Version, DryRun: true, document.Format, missing.ToValueList()), Migrations,
                Partializers.WholeApp);
        return (state, report with { Mends = document.Mends.Listed.Concat(report.Mends).ToValueList() });
    }

    /// <summary>The reason for which a strict import refuses the document, or null.</summary>
    public static async Task<string?> RefusedStrictlyAsync(Stream stream)
    {
        var (document, _) = await ReadAsync(stream);
        if (document.Mends.Listed is [var mend, ..]) return $"{mend.Place}: {mend.Found}";
        var report = ImportReader.Read(
            new(document.State(), document.Version, DryRun: true, document.Format, Strict: true), Migrations,
                Partializers.WholeApp).Report;
        return report.Refused is { } why ? $"{why.Field}: {why.Value}" : null;
    }

    public static async Task<BackupFormatException> RefusedAsync(Stream stream) =>
        await Assert.ThrowsAsync<BackupFormatException>(() => ReadAsync(stream));
}
