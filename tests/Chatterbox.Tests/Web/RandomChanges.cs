namespace Chatterbox.Tests.Web;

/// <summary>Changes that meet each other: few ids, values within, at and beyond what is allowed.</summary>
internal sealed class RandomChanges(Random random)
{
    private static readonly double?[] Numbers =
    [
        null, null, null, 0, -0.0, 0.05, 0.25, 0.5, 0.8, 1, 1.2, 2, 5, -1, 0.049999, 2.0000001, 5.1, 1e-7, 0.00001, 123456.789,
        1e15, 1e16, 1e17, 123456789012345680, 1e300, -1e-300,
    ];

    /// <summary>Texts on which .NET and JavaScript do not agree by themselves, and such as are too long by one.</summary>
    public static IReadOnlyList<string> Texts { get; } =
    [
        "", "x", " x", "x ", "\u0085x", "x\u0085", "\uFEFFx", "x\uFEFF", "\u200Bx", "x\u3000", "\u2028x", "x\u180E", "\u00A0x",
        "a\u0080b", "a\u009Fb",
        "a\u007Fb", "a\tb", "a\nb", "a\0b", "a\u00ADb", "a/b", "__proto__", "constructor", "toString", "en", "zh", "EN", "İ",
        "é", "e\u0301", "日本語 😀",
        $"a{VectorJson.High}b", $"{VectorJson.Low}", $"a{VectorJson.High}",
        new('a', 79), new('a', 80), new('a', 81), new('a', 100), new('a', 101), new('a', 128), new('a', 129), new('a', 200),
        new('a', 201),
        new('a', 300), new('a', 301), new('a', 600), new('a', 601), new('a', 1000), new('a', 1001),
        Emoji(64), Emoji(65), Emoji(150), Emoji(300), Emoji(301), "audio/wav", "audio/ogg; codecs=opus", "0123456789abcdef",
        new('0', 64), new('A', 64),
        new('f', 64), "a'b\"c<d>\\",
    ];

    public static IReadOnlyList<string> UnknownJson { get; } =
    [
        """{"x":1}""", """{"x":null}""", """{"x":null,"y":[]}""", """{"y":{"b":1,"a":[true,false,null]},"x":"é😀"}""",
        """{"x":0.1,"y":-5,"z":12345678}""",
        $$"""{"x":"{{new string('a', 16380)}}"}""", $$"""{"x":"{{new string('a', 16381)}}"}""",
        $$"""{"x":"{{new string('a', 16382)}}"}""", Nested(32), Nested(33), """{"__proto__":{"a":1}}""", """{"":1}""",
    ];

    public ValueList<string>? Slices() => random.Next(4) > 0 ? null
        : TtsApp.Instance.Slices.Where(_ => random.Next(3) > 0).Select(slice => slice.Name).ToValueList();

    public AppStateChange Next() => random.Next(23) switch
    {
        0 => new SelectEngine(Engine()),
        1 or 2 => new UpdateParameters(Engine(), Parameters()),
        3 => new SetStreaming(random.Next(2) == 0),
        4 => new SelectWorkSession(random.Next(4) == 0 ? null : Id('s')),
        5 => new SetSyncedSlices(Slices()),
        6 or 7 => new UpsertWorkSession(new()
        {
            Id = Id('s'), Name = Name(), ChunkIds = Ids(), Engine = Engine(),
            Parameters = random.Next(2) == 0 ? null : Parameters(),
            CreatedAt = Moment(), UpdatedAt = Moment(),
        }),
        8 => new RemoveWorkSession(Id('s')),
        9 => new UpsertVoice(new()
        {
            Id = Id('v'), Name = Name(), Engine = Engine(), Parameters = Parameters(), CreatedAt = Moment(),
            Prompt = random.Next(2) == 0 ? null : Audio(),
        }),
        10 => new RemoveVoice(Id('v')),
        11 or 12 => Chunk(),
        13 => new RemoveChunk(Id('c')),
        14 => new SetChunkStatus(Id('c'), Status()),
        15 => new CompleteChunk(Id('c'), Audio()),
        16 => new UpsertBatchItem(new() { Id = Id('b'), Name = Name(), ChunkIds = Ids(), Status = Status(),
            CreatedAt = random.Next(2) == 0 ? null : Moment() }),
        17 => new RemoveBatchItem(Id('b')),
        18 => new SetBatchItemStatus(Id('b'), Status()),
        19 => new SetGenerating(random.Next(2) == 0, random.Next(2) == 0 ? null : Id('c')),
        20 => new SetSystemStatus(random.Next(3) == 0 ? null : Name()),
        21 => random.Next(2) == 0 ? new ReportError(new() { Id = Id('e'), Message = Name() }) : new DismissError(Id('e')),
        _ => new SetVoiceUpload(random.Next(3) == 0 ? null : Name()),
    };

    /// <summary>A change that any state takes or refuses, but that is well-formed on the wire and small.</summary>
    private UpsertChunk Chunk()
    {
        var status = Status();
        var hasAudio = random.Next(8) == 0 ? random.Next(2) == 0 : status == WorkStatus.Completed;
        return new(new()
        {
            Id = Id('c'), Text = Name(), Status = status, Engine = Engine(), Parameters = Parameters(), CreatedAt = Moment(),
            Audio = hasAudio ? Audio() : null,
        });
    }

    private string Id(char kind) => $"{kind}{random.Next(4)}";

    private string Name() => random.Next(12) == 0 ? " x" : $"name {random.Next(3)}";

    private ValueList<string> Ids() => Enumerable.Range(0, random.Next(3)).Select(_ => Id('c')).ToValueList();

    private TtsEngine Engine() => (TtsEngine)random.Next(3);

    private WorkStatus Status() => (WorkStatus)random.Next(5);

    private DateTimeOffset Moment()
        => DateTimeOffset.UnixEpoch.AddDays(random.Next(3)).ToOffset(TimeSpan.FromHours(random.Next(3)));

    private AudioRef Audio() => Samples.Audio with
    {
        Length = random.Next(6) == 0 ? 0 : 44 + random.Next(3), SampleRate = random.Next(10) == 0 ? 768_001 : 24_000,
        Duration = random.Next(10) == 0 ? Numbers[3 + random.Next(Numbers.Length - 3)]!.Value : random.Next(3),
    };

    // Mostly one that is allowed: of many, one is always wrong.
    private TtsParameters Parameters() => random.Next(4) == 0
        ? new()
        {
            Exaggeration = Number(), CfgWeight = Number(), Temperature = Number(), MinP = Number(), TopP = Number(),
            RepetitionPenalty = Number(),
            TopK = random.Next(8) == 0 ? random.Next(-1, 1002) : null,
            NormLoudness = random.Next(8) == 0 ? random.Next(2) == 0 : null,
            LanguageId = random.Next(8) == 0 ? Texts[24 + random.Next(3)] : null,
            Seed = random.Next(6) == 0 ? random.NextInt64(-1, 4_294_967_297) : null,
        }
        : random.Next(3) switch
        {
            0 => new() { Temperature = random.Next(1, 20) * 0.1 },
            1 => new() { TopP = random.Next(11) * 0.1, Seed = random.Next(3) },
            _ => new() { RepetitionPenalty = 1 + random.Next(3) * 0.25, CfgWeight = random.Next(2) == 0 ? 0.5 : null },
        };

    private double? Number() => random.Next(2) == 0 ? null : Numbers[random.Next(Numbers.Length)];

    private static string Emoji(int count) => string.Concat(Enumerable.Repeat("😀", count));

    private static string Nested(int levels) =>
        $$"""{"x":{{string.Concat(Enumerable.Repeat("[", levels))}}{{string.Concat(Enumerable.Repeat("]", levels))}}}""";
}
