using System.Text;
using Chatterbox.Grains.Persistence;
using CsCheck;

namespace Chatterbox.Tests;

/// <summary>Random states and damage. CsCheck prints the seed of what fails.</summary>
internal static class States
{
    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.String[Gen.Char['a', 'z'], 1, 40], Gen.Const("héllo – \"quoted\" \\ 日本語 😀"), Gen.Const("{\"json\":1}"));

    private static readonly Gen<DateTimeOffset> Time = Gen.Long[0, 4_000_000_000_000].Select(DateTimeOffset.FromUnixTimeMilliseconds);

    private static readonly Gen<TtsParameters> Parameters = Gen.Select(Gen.Double[0.25, 2], Gen.Double[0, 1], Gen.Long[0, uint.MaxValue])
        .Select((exaggeration, weight, seed) => TtsParameters.DefaultsFor(TtsEngine.Chatterbox) with { Exaggeration = exaggeration, CfgWeight = weight, Seed = seed });

    private static readonly Gen<ValueList<string>> Ids = Gen.Int[0, 20].Array[0, 4].Select(ids => ids.Distinct().Select(id => $"c{id}").ToValueList());

    private static readonly Gen<Chunk> Chunk = Gen.Select(Gen.Int[0, 30], Text, Gen.Int[0, 4], Parameters, Time).Select((id, text, status, parameters, at) => new Chunk
    {
        Id = $"c{id}", Text = text, Status = (WorkStatus)status, Parameters = parameters, CreatedAt = at, Audio = status == 2 ? Samples.Audio : null,
    });

    public static Gen<AppState> Any { get; } = Gen.Select(
        Gen.Select(Parameters, Gen.Bool, Gen.Int[0, 2]).Select((parameters, streaming, other) => Preferences.Default with
        {
            Parameters = parameters,
            UseStreaming = streaming,
            CurrentSessionId = other == 0 ? null : $"s{other}",
            OtherEngines = other == 2 ? OtherEngines.None with { Turbo = TtsParameters.DefaultsFor(TtsEngine.Turbo) } : OtherEngines.None,
        }),
        List(Gen.Select(Gen.Int[0, 30], Text, Ids, Time).Select((id, name, chunks, at) => new WorkSession { Id = $"s{id}", Name = name, ChunkIds = chunks, CreatedAt = at, UpdatedAt = at }), 15),
        List(Gen.Select(Gen.Int[0, 30], Text, Parameters).Select((id, name, parameters) => new SavedVoice { Id = $"v{id}", Name = name, Parameters = parameters }), 6),
        List(Chunk, 20),
        List(Gen.Select(Gen.Int[0, 30], Text, Ids, Gen.Int[0, 4]).Select((id, name, chunks, status) => new BatchItem { Id = $"b{id}", Name = name, ChunkIds = chunks, Status = (WorkStatus)status }), 5))
        .Select((preferences, sessions, voices, chunks, items) => new AppState
        {
            Preferences = preferences, WorkSessions = sessions, SavedVoices = voices, Chunks = chunks, BatchItems = items,
        });

    public static byte[] Damage(byte[] row, int kind, Random random, byte[] otherRow)
    {
        var damaged = (byte[])row.Clone();
        switch (kind)
        {
            case 0:
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                return damaged;
            case 1: return damaged[..random.Next(damaged.Length)];
            case 2: return [.. damaged, 1];
            case 3:
                damaged[0] = (byte)'X';
                return damaged;
            case 4: return otherRow;
            default: return SliceFrame.Encode(Encoding.UTF8.GetBytes($"{{\"version\":1,\"state\":{random.Next()}}}"), 1, 1024);
        }
    }

    private static Gen<ValueList<T>> List<T>(Gen<T> item, int most) where T : class, IKeyed =>
        item.Array[0, most].Select(items => items.DistinctBy(each => each.Id).ToValueList());
}
