using System.Text.Json;
using CsCheck;

namespace Chatterbox.ClusterTests.Audio;

public sealed class BackupPropertyTests
{
    private static readonly Gen<byte[][]> Clips =
        Gen.Select(Gen.OneOf(Gen.Int[1, 5000], Gen.Const(AudioPieces.Bytes), Gen.Const((2 * AudioPieces.Bytes) + 1)), Gen.Int)
            .Select((length, seed) => AudioCluster.Bytes(length, seed)).Array[1, 4];

    [Fact(DisplayName =
        "[R4] whatever state with whatever audio: export, clear, import gives the same state and the same "
        + "clips, from the document alone")]
    public async Task Round_trip()
    {
        await using var cluster = await ChatterboxCluster.StartAsync();
        var users = 0;
        await Gen.Select(States.Any, Clips).SampleAsync(async (random, clips) =>
        {
            var user = $"user-{Interlocked.Increment(ref users)}";
            await using var store = await cluster.OpenAsync(user);
            var uploaded = new List<AudioRef>();
            foreach (var clip in clips)
            {
                uploaded.Add(await store.Audio.UploadAsync(clip, clip.Length % 2 == 0 ? "audio/wav" : "audio/x-odd"));
            }
            var state = random with
            {
                // More than the store keeps would leave at the import.
                WorkSessions = random.WorkSessions.Take(Partializers.KeptWorkSessions).ToValueList(),
                Chunks = random.Chunks.Select((chunk, at) =>
                    chunk.Audio is null ? chunk : chunk with { Audio = uploaded[at % uploaded.Count] }).ToValueList(),
                SavedVoices = random.SavedVoices.Select((voice, at) =>
                    at % 2 == 0 ? voice with { Prompt = uploaded[at % uploaded.Count] } : voice).ToValueList(),
            };
            var put = await cluster.Session(user).ImportAsync(new(
                JsonSerializer.SerializeToUtf8Bytes(state, TtsJson.Default.AppState),
                (await store.Persistence.GetPersistedVersionAsync()) ?? 1, DryRun: false, ImportFormat.Export));
            Assert.Null(put.Refused);
            await store.ShowsAsync(shown => shown == state);

            using var document = new MemoryStream();
            var exported = await store.Backup.ExportAsync(document);
            await store.Persistence.ClearPersistedStateAsync();
            // Its clips are deleted, so that those stored afterwards came with the document.
            var used = HashesOf(state);
            foreach (var stored in used.Select(hash => cluster.Keeping(user, hash)))
            {
                Assert.True(await stored.DeleteAsync(await stored.GetVersionAsync()));
            }
            Assert.Equal(used.Count, exported.Clips);
            Assert.Equal(clips.Select(AudioCluster.HashOf).Distinct().Count() - used.Count,
                cluster.ClipRows(user).Count(row => row == "clip"));
            document.Position = 0;
            var imported = await store.Backup.ImportAsync(document);

            Assert.Null(imported.Refused);
            Assert.Equal(state, store.State);
            foreach (var clip in clips.Where(clip => used.Contains(AudioCluster.HashOf(clip))))
            {
                Assert.Equal(clip, await store.Audio.DownloadAsync(AudioCluster.HashOf(clip)));
            }
        }, iter: 30, threads: 1);
    }

    private static HashSet<string> HashesOf(AppState state) =>
        QuotaCleanUp.ClipsOf(state).Select(audio => audio.Hash).ToHashSet(StringComparer.Ordinal);
}
