namespace Chatterbox.Bench.Hydration;

/// <summary>
/// A typical session: ten work sessions, 200 chunks with audio, 20 voices, all six rows.
/// </summary>
internal static class SampleSession
{
    public const int Chunks = 200;

    public static AttachRequest Attach { get; } =
        new() { Client = new("bench", "bench"), Device = "bench", Protocol = Protocol.Version, NextSequence = 1 };

    public static async Task FillAsync(IGrainFactory grains, SessionId id)
    {
        var session = grains.GetGrain<IUserSessionGrain>(id.Key);
        await session.AttachAsync(Attach);
        var epoch = (await session.GetStatusAsync()).Epoch;
        var changes = Changes(new Random(id.UserId.GetHashCode(StringComparison.Ordinal)))
            .Select((change, index) => new SequencedChange(index + 1, change)).ToArray();
        foreach (var batch in changes.Chunk(Chunks))
        {
            var reply = await session.ApplyAsync(new(
                Attach.Client.Client, epoch, batch[0].Sequence - 1, ValueList.Create<SequencedChange>(batch)));
            if (reply.Result is not ApplyResult.Done || reply.Outcomes.Any(outcome => outcome.Rejection is not null))
                throw new InvalidOperationException(
                    $"{reply.Refused ?? reply.Outcomes.First(outcome => outcome.Rejection is not null).Rejection}");
            // With work in progress, so that the recovery row is stored, too.
            if ((await session.FlushAsync()).Failure is { } failure) throw new InvalidOperationException(failure);
        }
        await session.DetachAsync(Attach.Client, isDone: true);
    }

    private static IEnumerable<AppStateChange> Changes(Random random)
    {
        const string Words =
            "down down would the fall never come to an end i wonder how many miles i have fallen by this time she said aloud";
        var words = Words.Split(' ');
        var day = new DateTimeOffset(2026, 3, 14, 15, 9, 26, TimeSpan.Zero);
        yield return new UpdateParameters(TtsEngine.Chatterbox, new() { Exaggeration = 0.7, Temperature = 0.6 });
        yield return new UpdateParameters(TtsEngine.Turbo, new() { TopK = 500 });
        for (var number = 0; number < Chunks; number++)
        {
            yield return new UpsertChunk(new()
            {
                Id = $"chunk-{number}",
                Text = string.Join(' ', Enumerable.Range(0, 30).Select(_ => words[random.Next(words.Length)])),
                Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with { Seed = random.Next() },
                CreatedAt = day.AddMinutes(number),
            });
        }
        for (var number = 0; number < Chunks; number++) yield return new CompleteChunk($"chunk-{number}", Audio(random, number));
        for (var number = 0; number < 10; number++)
        {
            yield return new UpsertWorkSession(new()
            {
                Id = $"session-{number}", Name = $"Chapter {number}", CreatedAt = day, UpdatedAt = day.AddHours(number),
                ChunkIds = ChunkIds(number),
            });
        }
        for (var number = 0; number < 20; number++)
        {
            yield return new UpsertVoice(new()
            {
                Id = $"voice-{number}", Name = $"Voice {number}", CreatedAt = day,
                Parameters = TtsParameters.DefaultsFor(TtsEngine.Chatterbox),
                Prompt = Audio(random, number),
            });
        }
        for (var number = 0; number < 5; number++)
        {
            yield return new UpsertBatchItem(new()
            {
                Id = $"batch-{number}", Name = $"chapter-{number}.txt", CreatedAt = day, ChunkIds = ChunkIds(number),
                Status = WorkStatus.Completed,
            });
        }
    }

    private static ValueList<string> ChunkIds(int part) =>
        Enumerable.Range(part * 20, 20).Select(chunk => $"chunk-{chunk}").ToValueList();

    private static AudioRef Audio(Random random, int number)
    {
        var hash = new byte[32];
        random.NextBytes(hash);
        return new() { Hash = Convert.ToHexStringLower(hash), Length = 400_000 + number, SampleRate = 24_000, Duration = 8 };
    }
}
