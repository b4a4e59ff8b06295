namespace Chatterbox.Client.Backup;

/// <summary>
/// Export and import of a store's session. Both stream: memory does not grow with the audio, only with its largest clip.
/// </summary>
public sealed class StoreBackup
{
    private readonly AppStore _store;

    internal StoreBackup(AppStore store) => _store = store;

    /// <summary>
    /// Writes the state and, by default, its audio as one JSON document: <see cref="BackupDocument"/>.
    /// </summary>
    public async Task<ExportReport> ExportAsync(
        Stream output, bool includeAudio = true, IProgress<BackupProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        await _store.Hydrated.WaitAsync(cancellationToken);
        var (state, revision) = await _store.WholeStateAsync(cancellationToken);
        await using var writer = new BackupWriter(output);
        writer.Begin(_store.Session.Store, _store.SchemaVersion, _store.Client.Clock.GetUtcNow(), state);
        var report = new ExportReport(state, revision, 0, 0, []);
        if (includeAudio) report = await ExportAudioAsync(writer, report, progress, cancellationToken);
        await writer.EndAsync(cancellationToken);
        return report;
    }

    /// <summary>
    /// Replaces the session's state by a document from <see cref="ExportAsync"/> or by the browser app's stored state, all or
    /// nothing. The whole document is checked before anything is stored; the stream is read twice.
    /// </summary>
    /// <remarks>
    /// Invalid values are repaired or left out, item by item, and listed in the report. The whole document is refused only when
    /// it holds nothing usable.
    /// </remarks>
    /// <param name="dryRun">Checks and reports only.</param>
    /// <param name="strict">Refuses a document that needs any repair.</param>
    /// <returns>The imported and the left-out parts, or the reason for a refusal.</returns>
    /// <exception cref="BackupFormatException">The document cannot be imported.</exception>
    /// <exception cref="QuotaExceededException">
    /// The quota has no room for its audio beside the stored audio, which stays until the state is replaced. Nothing was changed.
    /// </exception>
    /// <exception cref="IOException">No silo can be reached, or storage is unavailable; the message says whether the session has
    /// accepted the state.</exception>
    public async Task<ImportReport> ImportAsync(
        Stream input, bool dryRun = false, bool strict = false, IProgress<BackupProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        if (!input.CanSeek)
            throw new ArgumentException("The stream must be seekable: the document is read twice.", nameof(input));
        await _store.Hydrated.WaitAsync(cancellationToken);

        var origin = input.Position;
        var document = await ReadAsync(input, progress, cancellationToken);
        if (strict && document.Mends.Listed is [var mend, ..])
        {
            throw BackupFormatException.At(mend.Place, mend.Found, mend.Allowed);
        }
        var request = new ImportRequest(document.State(), document.Version, DryRun: true, document.Format, Strict: strict);
        var report = await CallAsync(request, cancellationToken);
        if (report.Refused is null && await MissingAsync(document, report, cancellationToken) is { Count: > 0 } missing)
        {
            request = request with { Missing = missing };
            report = await CallAsync(request, cancellationToken);
        }
        if (report.Refused is null) await EnsureRoomAsync(document, report, cancellationToken);
        if (report.Refused is null && !dryRun)
        {
            input.Position = origin;
            var stored = await UploadAsync(input, document, report.Clips, progress, cancellationToken);
            await _store.Persistence.FlushAsync(cancellationToken);
            report = await CallAsync(request with { Json = document.State(stored), DryRun = false }, cancellationToken);
            if (report.Refused is null) await StoredAsync(cancellationToken);
        }
        return report with
        {
            Notes = document.Notes.Concat(Unused(document, report)).Concat(report.Notes).ToValueList(),
            Mends = document.Mends.Listed.Concat(report.Mends).ToValueList(),
            MoreMends = document.Mends.More + report.MoreMends,
        };
    }

    // Wait until it is stored and this store shows it.
    private async Task StoredAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _store.Persistence.FlushAsync(cancellationToken);
        }
        catch (IOException failing)
        {
            throw new IOException($"imported, but not stored yet; the silo keeps trying: {failing.Message}", failing);
        }
    }

    private async Task<ExportReport> ExportAudioAsync(
        BackupWriter writer, ExportReport report, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var clips = ClipsOf(report.State);
        var (total, done, written, missing) = (clips.Sum(audio => audio.Length), 0L, 0, new List<string>());
        // Clips share one buffer: each is complete and verified before any of it is written.
        using var clip = new MemoryStream();
        writer.BeginAudio();
        foreach (var audio in clips)
        {
            progress?.Report(new(BackupStage.Exporting, done, total));
            clip.SetLength(0);
            if (await FetchAsync(audio.Hash, clip, cancellationToken))
            {
                var bytes = clip.GetBuffer().AsMemory(0, (int)clip.Length);
                await writer.WriteClipAsync(audio.Hash, audio.MediaType, bytes, cancellationToken);
                (done, written) = (done + clip.Length, written + 1);
            }
            else missing.Add(audio.Hash);
        }
        writer.EndAudio();
        progress?.Report(new(BackupStage.Exporting, done, total));
        return report with { Clips = written, AudioBytes = done, Missing = missing };
    }

    // A damaged clip does not prevent the export of the others.
    private async Task<bool> FetchAsync(string hash, Stream clip, CancellationToken cancellationToken)
    {
        try
        {
            return await _store.Audio.DownloadAsync(hash, clip, progress: null, cancellationToken);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static AudioRef[] ClipsOf(SessionState state) => [.. state.App.ClipsOf(state).DistinctBy(audio => audio.Hash)];

    private async Task<ImportDocument> ReadAsync(Stream input, IProgress<BackupProgress>? progress,
        CancellationToken cancellationToken)
    {
        var (clips, mends) = (new List<DocumentClip>(), new MendList());
        var scan = new DocumentScan(_store.App, input)
        {
            OnClip = clip =>
            {
                clips.Add(ImportDocument.Describe(clip));
                return Task.CompletedTask;
            },
            OnMend = mends.Add,
            OnProgress = read => progress?.Report(new(BackupStage.Checking, read, input.Length)),
        };
        return ImportDocument.Parse(_store.App, await scan.RunAsync(cancellationToken), clips, mends);
    }

    private async Task<IReadOnlyDictionary<string, AudioRef>> UploadAsync(
        Stream input, ImportDocument document, ValueList<string> wanted, IProgress<BackupProgress>? progress,
        CancellationToken cancellationToken)
    {
        var left = wanted.ToHashSet(StringComparer.Ordinal);
        var total = document.Clips.Where(clip => left.Contains(clip.Hash)).DistinctBy(clip => clip.Hash)
            .Sum(clip => (long)clip.Length);
        var (done, stored) = (0L, new Dictionary<string, AudioRef>(StringComparer.Ordinal));
        if (total == 0) return stored;
        var scan = new DocumentScan(_store.App, input)
        {
            OnClip = async clip =>
            {
                var (hash, mediaType) = (document.Clips[clip.Number].Hash, document.Clips[clip.Number].MediaType);
                if (!left.Remove(hash)) return;
                stored[hash] = await _store.Audio.UploadAsync(clip.Bytes, mediaType, cancellationToken);
                progress?.Report(new(BackupStage.Uploading, done += clip.Bytes.Length, total));
            },
        };
        await scan.RunAsync(cancellationToken);
        return stored;
    }

    /// <summary>Clips that the state refers to and that are neither in the document nor stored.</summary>
    private async Task<ValueList<string>> MissingAsync(ImportDocument document, ImportReport report,
        CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        foreach (var hash in report.Clips.Except(document.Clips.Select(clip => clip.Hash)))
        {
            var found = await _store.Client.Clip(_store.Session.UserId, hash).DescribeAsync().WaitAsync(cancellationToken);
            if (found is null) missing.Add(hash);
        }
        return missing.ToValueList();
    }

    // Checked before uploading, since an upload frees room by itself: an import that may still fail must not cost stored audio.
    private async Task EnsureRoomAsync(ImportDocument document, ImportReport report, CancellationToken cancellationToken)
    {
        var info = await _store.Persistence.GetStorageInfoAsync(cancellationToken);
        var (used, needed, wanted) =
            (info.UsedBytes - info.Audio.UnreferencedBytes, 0L, report.Clips.ToHashSet(StringComparer.Ordinal));
        foreach (var clip in document.Clips.Where(clip => wanted.Remove(clip.Hash)))
        {
            if (await _store.Client.Clip(_store.Session.UserId, clip.Hash).DescribeAsync().WaitAsync(cancellationToken) is null)
                needed += clip.Length;
        }
        if (used + needed > info.QuotaBytes) throw new QuotaExceededException(new(used, needed, info.QuotaBytes));
    }

    private static IEnumerable<string> Unused(ImportDocument document, ImportReport report)
    {
        if (report.Refused is not null) yield break;
        var unused = document.Clips.Select(clip => clip.Hash).Except(report.Clips).Count();
        if (unused > 0) yield return $"{unused} audio clip(s): left out, nothing in the state refers to them";
    }

    private Task<ImportReport> CallAsync(ImportRequest request, CancellationToken cancellationToken) =>
        _store.OperateAsync((grain, name) => grain.ImportAsync(request with { Operation = name }), cancellationToken);
}
