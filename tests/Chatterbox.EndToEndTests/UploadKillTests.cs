namespace Chatterbox.EndToEndTests;

public sealed class UploadKillTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact(DisplayName = "[A1] an upload goes on where it was when the silo is killed and started again, and once more")]
    public async Task Uploads_go_on()
    {
        await using var silo = await SiloProcess.StartAsync();
        await using var process = await ClientProcess.StartAsync(silo.Gateway);
        var store = await process.Client.OpenAsync(new SessionId("alice")).WaitAsync(Patience);
        var clip = new byte[Limits.ClipBytes];
        new Random(1).NextBytes(clip);
        var progress = new Steps(clip.Length / 3, 2 * (clip.Length / 3));

        var uploading = store.Audio.UploadAsync(clip, "audio/wav", progress);
        foreach (var step in progress.Reached)
        {
            var done = await step.WaitAsync(Patience);
            await silo.KillAsync();
            progress.StartsAgainAt(done);
            await silo.StartAgainAsync();
        }
        var audio = await uploading.WaitAsync(Patience);

        // The piece that was under way may have been stored without an answer, or not; those before it were.
        Assert.All(progress.StartedAgainAt,
            again => Assert.InRange(again.Done, again.Before, again.Before + (2 * AudioPieces.Bytes)));
        Assert.Equal(2, progress.StartedAgainAt.Count);
        await (await store.UpsertChunkAsync(TestData.Chunk("c") with { Status = WorkStatus.Completed, Audio = audio })).Durable
            .WaitAsync(Patience);
        await silo.KillAsync();
        await silo.StartAgainAsync();
        Assert.Equal(clip, await store.Audio.DownloadAsync(audio.Hash));
    }

    /// <summary>Stops the upload at each of its steps, by not returning from the report, until the silo is dead.</summary>
    private sealed class Steps(params long[] steps) : IProgress<AudioProgress>
    {
        private readonly TaskCompletionSource<long>[] _reached =
            [.. steps.Select(_ => new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously))];
        private TaskCompletionSource _dead = new();
        private int _next;
        private long? _before;

        public IEnumerable<Task<long>> Reached => _reached.Select(each => each.Task);

        public List<(long Before, long Done)> StartedAgainAt { get; } = [];

        public void StartsAgainAt(long done)
        {
            _before = done;
            _dead.SetResult();
        }

        public void Report(AudioProgress value)
        {
            if (_before is { } before)
            {
                StartedAgainAt.Add((before, value.Done));
                _before = null;
            }
            if (_next == steps.Length || value.Done < steps[_next]) return;
            _dead = new();
            _reached[_next++].SetResult(value.Done);
            _dead.Task.Wait();
        }
    }
}
