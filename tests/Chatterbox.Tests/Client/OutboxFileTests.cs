using System.Buffers;
using System.Text;
using Chatterbox.Client;
using Chatterbox.Client.Outbox;
using CsCheck;

namespace Chatterbox.Tests.Client;

public sealed class OutboxFileTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(DisplayName = "[C3] the bytes of an outbox are those that were released")]
    public void Golden_bytes()
    {
        const string Released = """
            chatterbox-outbox 1
            245f8af55da3de19 {"client":"c1","session":"alice/app-state","run":1}
            9895e51db0e188f7 {"sequence":4294967297,"change":{"type":"setStreaming","useStreaming":true}}
            e5e7fb8196677ea3 {"sequence":4294967298,"change":{"type":"removeChunk","id":"c\u00F6"}}
            2e13fdbbee7efe14 {"gone":[[4294967297,4294967297]]}

            """;
        using (var file = _folder.Open())
        {
            var queue = Append(file, new SetStreaming(true), new RemoveChunk("cö"));
            queue.RemoveFirst();
            file.Remove([4294967297], queue);
        }
        Assert.Equal(Released.ReplaceLineEndings("\n"), File.ReadAllText(_folder.File));

        using var again = _folder.Open();
        Assert.Equal(("c1", 2L), (again.Head.Client, again.Head.Run));
        Assert.Equal([(4294967298L, (AppStateChange)new RemoveChunk("cö"))],
            again.Recovered.Select(entry => (entry.Sequence, entry.Change)));
    }

    [Fact(DisplayName = "[C3] every kind of change comes back from the outbox as it was")]
    public void Every_change()
    {
        using (var file = _folder.Open()) Append(file, [.. Samples.EveryChange]);

        using var again = _folder.Open("other");

        Assert.Equal(Samples.EveryChange, again.Recovered.Select(entry => entry.Change));
        Assert.All(again.Recovered, entry => Assert.True(entry.IsRecovered && entry.Sequence < again.Head.FirstSequence));
    }

    [Fact(DisplayName = "[C3] an outbox that ends anywhere gives every change before its end, and is no damage")]
    public void Torn_tails()
    {
        var whole = Sample();
        var ends = whole.Select((each, index) => (each, index)).Where(at => at.each == '\n').Select(at => at.index + 1).ToArray();
        for (var length = 0; length <= whole.Length; length++)
        {
            var content = OutboxFormat.Read(whole.AsSpan(0, length), TtsApp.Instance);

            // A line that lacks nothing but its end is one that was taken or one that was not: both are right.
            var lines = ends.Count(end => end <= length + (ends.Contains(length + 1) ? 1 : 0));
            Assert.Equal(Math.Max(0, lines - 2), content.Count);
            Assert.Empty(content.Damage);
        }
    }

    [Fact(DisplayName = "[C3] a bit that flips anywhere in an outbox is noticed, and costs one change at most")]
    public void Bit_flips()
    {
        var whole = Sample();
        var changes = OutboxFormat.Read(whole, TtsApp.Instance).Entries().Select(entry => entry.Change).ToArray();
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[0, 7]).Sample((at, bit) =>
        {
            var damaged = whole.ToArray();
            damaged[at] ^= (byte)(1 << bit);

            var content = OutboxFormat.Read(damaged, TtsApp.Instance);

            if (content.Version > OutboxFormat.Version) return;
            Assert.NotEmpty(content.Damage);
            if (content.Head is null) return;
            var left = content.Entries().Select(entry => entry.Change).ToArray();
            Assert.True(left.Length >= changes.Length - 2, $"{changes.Length - left.Length} changes are lost");
            Assert.Empty(left.Except(changes));
        }, iter: 5000);
    }

    [Fact(DisplayName = "[C3] whatever is in the file of an outbox, it opens, and bytes that cannot be read are kept beside it")]
    public void Any_bytes()
    {
        Gen.OneOf(Gen.Byte.Array[0, 300],
            Gen.Byte.Array[0, 300].Select(bytes => (byte[])[.. "chatterbox-outbox 1\n"u8, .. bytes])).Sample(bytes =>
        {
            using var folder = new TestFolder();
            File.WriteAllBytes(folder.File, bytes);
            if (OutboxFile.TryOpen(folder.File, TtsApp.Instance, "alice/app-state", "c1", false,
                TimeProvider.System) is not { } file) return;
            using (file)
            {
                if (file.Notices.Count == 0) return;
                var aside = Assert.Single(folder.Files, name => name.Contains("damaged", StringComparison.Ordinal));
                Assert.Contains(aside, file.Notices[0], StringComparison.Ordinal);
                Assert.Equal(bytes, File.ReadAllBytes(folder.PathOf(aside)));
                Append(file, new SetStreaming(true));
            }
            using var again = folder.Open();
            Assert.Equal([new SetStreaming(true)], again.Recovered.Select(entry => entry.Change));
        }, iter: 300);
    }

    [Fact(DisplayName = "[C3] changes that can be read are sent although others beside them are damaged")]
    public void Damage_is_set_aside()
    {
        var text = Encoding.UTF8.GetString(Sample());
        File.WriteAllText(_folder.File, text.Replace("chunk-1", "chunk-X", StringComparison.Ordinal));

        using var file = _folder.Open();

        Assert.Equal(["chunk-0", "chunk-2", "chunk-3"], file.Recovered.Select(entry => ((RemoveChunk)entry.Change).Id));
        Assert.Contains("line 4 is damaged", Assert.Single(file.Notices), StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[C3] a kind of change that this client does not know is kept, not lost")]
    public void Unknown_changes()
    {
        using (var file = _folder.Open())
        {
            Append(file, new SetStreaming(true));
            var unknown = new ArrayBufferWriter<byte>();
            OutboxFormat.Change(unknown, file.Head.FirstSequence + 1, """{"type":"ofTheFuture"}"""u8);
            using var end =
                new FileStream(_folder.File, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            end.Write(unknown.WrittenSpan);
        }

        using var again = _folder.Open();

        Assert.Single(again.Recovered);
        Assert.Contains("line 4 cannot be understood", Assert.Single(again.Notices), StringComparison.Ordinal);
        Assert.Contains("ofTheFuture",
            File.ReadAllText(_folder.PathOf(_folder.Files.Single(name => name.Contains("damaged", StringComparison.Ordinal)))),
            StringComparison.Ordinal);
    }

    [Fact(DisplayName = "[C3] an outbox of a newer client is left as it is")]
    public void A_newer_version()
    {
        File.WriteAllText(_folder.File, "chatterbox-outbox 2\nwhatever\n");

        Assert.Null(OutboxFile.TryOpen(_folder.File, TtsApp.Instance, "alice/app-state", "c1", false, TimeProvider.System));
        Assert.Equal("chatterbox-outbox 2\nwhatever\n", File.ReadAllText(_folder.File));
    }

    [Fact(DisplayName = "[C3] two do not have one outbox at once")]
    public void Locked()
    {
        using (_folder.Open()) Assert.Null(OutboxFile.TryOpen(_folder.File, TtsApp.Instance, "alice/app-state", "c2", false,
            TimeProvider.System));
        using var after = _folder.Open();
    }

    [Fact(DisplayName = "[C3] no sequence is used twice under one client, whatever was lost of the file")]
    public void Runs()
    {
        long highest = 0;
        for (var run = 1; run <= 3; run++)
        {
            using var file = _folder.Open($"new{run}");
            Assert.Equal("new1", file.Head.Client);
            Assert.True(file.Head.FirstSequence > highest);
            Append(file, new SetStreaming(true), new SetStreaming(false));
            highest = file.Head.FirstSequence + 1;
            if (run == 1) continue;
            // As after a power failure: the last line is not there.
            file.Dispose();
            var lines = File.ReadAllLines(_folder.File);
            File.WriteAllLines(_folder.File, lines[..^1]);
        }
    }

    [Fact(DisplayName = "[C3] an outbox shrinks when everything is durable, and when most of it is")]
    public void Compaction()
    {
        using var file = _folder.Open();
        var queue = new OutboxQueue();
        long longest = 0;
        for (var number = 0; number < 5000; number++)
        {
            Append(file, queue, number, new UpsertChunk(Samples.Chunk($"chunk-{number}")));
            if (queue.Count > 10) file.Remove([queue.RemoveFirst().Sequence], queue);
            longest = Math.Max(longest, file.Length);
        }
        Assert.InRange(longest, 64 * 1024, 80 * 1024);
        Assert.Equal(file.Length, new FileInfo(_folder.File).Length);
        Assert.Equal(queue.All.Select(entry => entry.Sequence),
            OutboxFormat.Read(File.ReadAllBytes(_folder.File), TtsApp.Instance).Entries().Select(entry => entry.Sequence));

        var rest = queue.All.Select(entry => entry.Sequence).ToArray();
        while (queue.Count > 0) queue.RemoveFirst();
        file.Remove(rest, queue);

        Assert.InRange(new FileInfo(_folder.File).Length, 1, 200);
    }

    [Fact(DisplayName = "[C3] a client that has said good-bye leaves no outbox")]
    public void Goodbye()
    {
        using (var file = _folder.Open())
        {
            Append(file, new SetStreaming(true));
            file.Remove([file.Head.FirstSequence], new());
            file.Empty();
            file.Delete();
        }
        Assert.Equal(["alice.outbox.lock"], _folder.Files);
        using var again = _folder.Open("c2");
        Assert.Equal("c2", again.Head.Client);
    }

    [Fact(DisplayName = "[C3] a disk that is full refuses the change with a clear error, and the outbox stays whole")]
    public void A_full_disk()
    {
        var room = 700;
        using (var file = _folder.Open(open: (path, mode) => new SmallDisk(path, mode, () => room)))
        {
            var queue = new OutboxQueue();
            var taken = 0;
            Action fill = () =>
            {
                for (; ; taken++) Append(file, queue, taken, new RemoveChunk($"chunk-{taken}"));
            };
            var full = Assert.Throws<OutboxUnavailableException>(fill);
            Assert.Contains("No space left", full.Message, StringComparison.Ordinal);
            Assert.Equal(taken, OutboxFormat.Read(File.ReadAllBytes(_folder.File), TtsApp.Instance).Count);

            room = 10_000;
            Append(file, queue, taken, new SetStreaming(true));
        }
        using var again = _folder.Open();
        Assert.Empty(again.Notices);
        Assert.Equal(new SetStreaming(true), again.Recovered[^1].Change);
    }

    [Fact(DisplayName = "[C3] a folder that cannot be used is a clear error")]
    public void No_folder()
    {
        File.WriteAllText(_folder.PathOf("taken"), "not a folder");
        var options = new ChatterboxClientOptions { OutboxDirectory = _folder.PathOf("taken/below") };

        var error = Assert.Throws<OutboxUnavailableException>(() =>
            new OutboxFolder(options, TimeProvider.System).Open(new SessionId("alice"), TtsApp.Instance));

        Assert.Contains("taken", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Sample()
    {
        using var folder = new TestFolder();
        using var file = folder.Open();
        Append(file, [.. Enumerable.Range(0, 4).Select(number => new RemoveChunk($"chunk-{number}"))]);
        return File.ReadAllBytes(folder.File);
    }

    private static OutboxQueue Append(OutboxFile file, params AppStateChange[] changes)
    {
        var queue = new OutboxQueue();
        for (var number = 0; number < changes.Length; number++) Append(file, queue, number, changes[number]);
        return queue;
    }

    private static void Append(OutboxFile file, OutboxQueue queue, int number, AppStateChange change)
    {
        var json = OutboxFormat.Encode(change);
        var sequence = file.Head.FirstSequence + number;
        file.Append([(sequence, json)]);
        queue.Add(new(sequence, change, json.Length));
    }

    /// <summary>Takes what there is room for, and then fails: as a file on a full disk does.</summary>
    private sealed class SmallDisk(string path, FileMode mode, Func<int> room)
        : FileStream(path, mode, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            var fits = Math.Clamp(room() - (int)Position, 0, buffer.Length);
            base.Write(buffer[..fits]);
            if (fits < buffer.Length) throw new IOException("No space left on device");
        }
    }
}
