using System.Text.Json;
using Chatterbox.ClusterTests.Audio;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace Chatterbox.ClusterTests.Soak;

[Trait("Speed", "Slow")]
public sealed class YearTests(ITestOutputHelper output)
{
    private const int Weeks = 52;
    private const int SessionsPerWeek = 50;
    private const int ClipBytes = 2_000;
    private const string User = "ada";

    [Fact(
        DisplayName =
        "[S5] [P4] [P8] [A2] [H1] a year of a busy user leaves 10 work sessions with their chunks and audio, a small tweak row, "
        + "few clients and a bounded history")]
    public async Task A_year()
    {
        await using var clock = new JumpingClock();
        await using var cluster = await ChatterboxCluster.StartAsync(new()
        {
            ConfigureSilo = silo =>
            {
                silo.Services.AddSingleton<TimeProvider>(clock.Time);
                // Orleans takes its clocks by key. By one that is a year ahead, silos retire those that start after them.
                silo.Services.AddKeyedSingleton(KeyedService.AnyKey, TimeProvider.System);
            },
        });
        var most = 0L;
        for (var week = 0; week < Weeks; week++)
        {
            await WeekAsync(cluster, clock, week);
            var rows = await StoredRows.LengthsAsync(cluster.Database);
            most = Math.Max(most, rows.Sum(row => row.Bytes));
        }
        // The grace of audio that nothing refers to any more, and a sweep after it.
        clock.Jump(TimeSpan.FromHours(26));
        clock.Jump(TimeSpan.FromHours(26));
        await cluster.DeactivateAsync(User);

        await using var reading = cluster.NewClient();
        await using var store = await cluster.OpenAsync(User, reading);
        Assert.Equal(10, store.State.WorkSessions.Count);
        var held = store.State.WorkSessions.SelectMany(session => session.ChunkIds).Order();
        Assert.Equal(held, store.State.Chunks.Select(chunk => chunk.Id).Order());
        var clips = store.State.Chunks.Select(chunk => chunk.Audio!.Hash).Distinct().ToArray();
        foreach (var clip in clips) Assert.NotNull(await store.Audio.DownloadAsync(clip));

        var stored = await StoredRows.LengthsAsync(cluster.Database);
        foreach (var kind in stored.GroupBy(row => row.Row.Split('-')[0]))
        {
            output.WriteLine($"{kind.Key}: {kind.Count()} rows, {kind.Sum(row => row.Bytes)} bytes");
        }
        output.WriteLine($"at most {most} bytes at the end of a week");
        // A clip is a row or two; history may refer to some that the state no longer does.
        var history = stored.Where(row => row.Row.StartsWith("history", StringComparison.Ordinal)).ToArray();
        Assert.InRange(history.Length, 0, 1 + 64);
        Assert.InRange(stored.Count(row => row.Row.StartsWith("clip", StringComparison.Ordinal)),
            clips.Length, 2 * (clips.Length + 64));
        Assert.InRange(stored.Single(row => row.Row == "preferences").Bytes, 1, 600);
        Assert.InRange(await ClientsRememberedAsync(cluster, "preferences"), 0, 2);
        Assert.InRange(await ClientsRememberedAsync(cluster, "chunks"), 0, 2);
        // A year does not weigh more than a few weeks do.
        Assert.InRange(most, 0, 20 * SessionsPerWeek * ClipBytes);
    }

    /// <summary>Two devices at work on each day, and a visit by cron in between.</summary>
    private static async Task WeekAsync(ChatterboxCluster cluster, JumpingClock clock, int week)
    {
        for (var day = 0; day < 5; day++)
        {
            await using (var laptop = cluster.NewClient())
            await using (var phone = cluster.NewClient())
            {
                var work = await cluster.OpenAsync(User, laptop);
                var watching = await cluster.OpenAsync(User, phone);
                for (var number = 0; number < SessionsPerWeek / 5; number++)
                {
                    var id = $"{week}-{day}-{number}";
                    var audio =
                        await work.Audio.UploadAsync(AudioCluster.Bytes(ClipBytes, id.GetHashCode(StringComparison.Ordinal)));
                    await work.UpsertWorkSessionAsync(new()
                    {
                        Id = $"s{id}",
                        Name = $"Session {id}",
                        ChunkIds = [$"c{id}"],
                        CreatedAt = clock.Time.GetUtcNow(),
                        UpdatedAt = clock.Time.GetUtcNow(),
                    });
                    await work.SelectWorkSessionAsync($"s{id}");
                    await work.AddChunkAsync($"c{id}", audio);
                    clock.Jump(TimeSpan.FromMinutes(10));
                }
                await watching.UpdateParametersAsync(p => p with { Temperature = 0.5 + (week % 10 * 0.05) }).DurablyAsync();
            }
            clock.Jump(TimeSpan.FromHours(10));
            await using (var cron = cluster.NewClient())
            {
                var visit = await cluster.OpenAsync(User, cron);
                await visit.UpdateParametersAsync(p => p with { Temperature = 0.5 + (day * 0.1) }).DurablyAsync();
            }
            clock.Jump(TimeSpan.FromHours(12));
        }
        clock.Jump(TimeSpan.FromDays(2));
    }

    /// <summary>How many clients a slice's row remembers.</summary>
    private static async Task<int> ClientsRememberedAsync(ChatterboxCluster cluster, string row)
    {
        using var envelope = JsonDocument.Parse(SliceFrame.Decode((await StoredRows.ReadAsync(cluster.Database, row))!).Body);
        var applied = envelope.RootElement.GetProperty("applied");
        return applied.ValueKind is JsonValueKind.Array ? applied.GetArrayLength() : applied.EnumerateObject().Count();
    }
}
