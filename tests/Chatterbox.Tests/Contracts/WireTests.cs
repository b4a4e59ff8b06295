using System.Reflection;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Chatterbox.Tests.Contracts;

/// <summary>
/// Silos and clients of different versions speak to each other. Members and their ids are only ever appended: a line of
/// <c>wire.txt</c> that changes breaks a rolling deployment.
/// </summary>
public sealed class WireTests
{
    private static readonly Serializer Serializer =
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    private static IEnumerable<Type> ContractTypes => typeof(AppState).Assembly.GetTypes()
        .Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null);

    [Fact(DisplayName = "[S2] every contract type has an alias, and every member that travels an id of its own")]
    public void Contracts_are_named()
    {
        foreach (var type in ContractTypes)
        {
            Assert.True(type.GetCustomAttributes<AliasAttribute>(inherit: false).Any(), $"{type} has no [Alias].");
            var ids = type.GetMembers(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Select(member => member.GetCustomAttribute<IdAttribute>()).OfType<IdAttribute>().Select(id => id.Id).ToArray();
            Assert.True(ids.Distinct().Count() == ids.Length, $"{type} uses an id twice.");
        }
    }

    [Fact(DisplayName = "[S2] the bytes of state, changes and messages are those that were released")]
    public void Bytes_are_pinned()
    {
        var now = new StringBuilder();
        foreach (var (name, value) in Values())
        {
            var bytes = Serializer.SerializeToArray(value);
            Assert.Equal(value, Serializer.Deserialize<object>(bytes));
            now.Append(name).Append(' ').AppendLine(Convert.ToHexStringLower(bytes));
        }
        var file = Path.Combine(AppContext.BaseDirectory, "Contracts", "wire.txt");
        var released = File.Exists(file) ? File.ReadAllLines(file) : [];
        var lines = now.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var received = Path.Combine(Path.GetTempPath(), "chatterbox-wire.txt");
        var changed = released.Except(lines).Select(line => line.Split(' ')[0]).ToArray();
        if (changed.Length > 0 || released.Length != lines.Length) File.WriteAllLines(received, lines);
        Assert.True(changed.Length == 0, $"The bytes of {string.Join(", ", changed)} are not those released; ids are only ever appended. Now: {received}");
        Assert.True(released.Length == lines.Length, $"{lines.Length - released.Length} contract(s) are not pinned yet. Now: {received}");
    }

    private static IEnumerable<(string Name, object Value)> Values()
    {
        foreach (var change in Samples.EveryChange) yield return (change.GetType().Name, change);
        var client = new ClientId("process", "client");
        var state = State.ReducerTests.Apply(AppState.Initial, new UpsertChunk(Samples.Chunk("c1")), new CompleteChunk("c1", Samples.Audio),
            new UpsertWorkSession(new() { Id = "s", Name = "n", ChunkIds = ["c1"] }), new SelectEngine(TtsEngine.Turbo), new SetGenerating(true, "c1"));
        var applied = new AppliedChange(7, "client", 3, new SetStreaming(true));
        var rejection = new Rejection("temperature", "9", "0.05 to 5");
        yield return ("AppState", state);
        yield return ("AttachRequest", new AttachRequest { Client = client, Device = "laptop", Protocol = 1, NextSequence = 4, SeenRevision = 6, Epoch = 5, Slices = [Slice.Chunks] });
        yield return ("AttachReply", new AttachReply { State = new() { Epoch = 5, Revision = 7, DurableRevision = 6, Snapshot = state }, Applied = [new(Slice.Chunks, 3)], Notices = ["n"], ReadOnly = "r", Lease = TimeSpan.FromSeconds(30), Protocol = 1, Crash = new(["c1"], ["b1"], true) });
        yield return ("CatchUp", new CatchUp { Epoch = 5, Revision = 7, DurableRevision = 6, Changes = [applied] });
        yield return ("HeartbeatReply", new HeartbeatReply { Attached = true, Epoch = 5, Revision = 7, DurableRevision = 6, Save = SaveStatus.Saving });
        yield return ("ChangeBatch", new ChangeBatch("client", 5, 2, [new(3, new SetStreaming(true))]));
        yield return ("ApplyReply", new ApplyReply { Result = ApplyResult.Refused, Epoch = 5, DurableRevision = 6, Outcomes = [new(7, rejection)], Refused = rejection });
        yield return ("FlushReply", new FlushReply(5, 6, "full"));
        yield return ("ImportReport", new ImportReport { Refused = rejection, FromVersion = 0, ToVersion = 1, Chunks = 3, Notes = ["left out"], Revision = 9 });
        yield return ("SessionEvents", new SessionEvents("alice/app-state", 5,
        [
            new ChangesApplied(6, 7, [applied]), new BecameDurable(7), new SessionReset("loaded again"),
            new SaveStatusChanged(new(SaveState.Failing, DateTimeOffset.UnixEpoch, "full", DateTimeOffset.UnixEpoch, 3)), new PresenceChanged([new("client", "laptop", DateTimeOffset.UnixEpoch)]),
        ]));
        yield return ("SessionStatus", new SessionStatus { Session = "alice/app-state", Epoch = 5, Revision = 7, DurableRevision = 6, Save = SaveStatus.Saved, PersistedVersion = 1, Slices = [new(Slice.Chunks, 3, 100)] });
        yield return ("RecoveryReport", new RecoveryReport { Chunks = ["c1"], Restored = ["chunks"], Unsaved = "full" });
        yield return ("QuarantineItem", new QuarantineItem("id", "chunks", "unreadable", "checksum", DateTimeOffset.UnixEpoch, 3));
        yield return ("PutClipReply", new PutClipReply(Samples.Audio, rejection));
    }
}
