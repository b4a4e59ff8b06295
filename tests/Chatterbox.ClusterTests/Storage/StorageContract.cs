using System.Text;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage;
using Orleans.Storage;

namespace Chatterbox.ClusterTests.Storage;

/// <summary>
/// What the grains may rely on, whichever storage writes and whichever reads: run against each writer on each database, and with
/// one writing what the other reads and updates.
/// </summary>
public abstract class StorageContract(DatabaseProvider provider, StorageWriter writer, StorageWriter otherWriter) : IAsyncLifetime
{
    private const string Slice = "preferences";

    private readonly string serviceId = $"test-{Guid.NewGuid():N}";
    private TestDatabase database = null!;
    private RunningStorage running = null!;
    private RunningStorage otherRunning = null!;

    private IGrainStorage Storage => running.Storage;

    /// <summary>Another silo's, with the other writer where the suite runs crosswise.</summary>
    private IGrainStorage Other => otherRunning.Storage;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync(provider);
        running = await RunningStorage.StartAsync(database.Options(writer), serviceId);
        otherRunning = await RunningStorage.StartAsync(database.Options(otherWriter), serviceId);
    }

    public async Task DisposeAsync()
    {
        await otherRunning.DisposeAsync();
        await running.DisposeAsync();
        await database.DisposeAsync();
    }

    [ContractFact(DisplayName = "[D2] a row that nobody wrote reads as empty, without an etag")]
    public async Task Reads_nothing()
    {
        var state = await ReadAsync(Storage, Key("nobody"));

        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Empty(state.State!.Bytes);
    }

    [ContractFact(DisplayName = "[D2] what is written is read, byte for byte, under the etag that the writer got")]
    public async Task Inserts_and_updates()
    {
        var state = Frame("one");
        await Storage.WriteStateAsync(Slice, Key("alice"), state);
        Assert.Equal("1", state.ETag);
        Assert.True(state.RecordExists);

        state.State = Frame("two").State;
        await Storage.WriteStateAsync(Slice, Key("alice"), state);
        Assert.Equal("2", state.ETag);

        var read = await ReadAsync(Other, Key("alice"));
        Assert.Equal("two", Text(read));
        Assert.Equal("2", read.ETag);
        Assert.True(read.RecordExists);
    }

    [ContractFact(DisplayName = "[D2] what one storage wrote the other updates, and back")]
    public async Task Takes_turns()
    {
        foreach (var (storage, text, etag) in new[]
        {
            (Storage, "a", "1"), (Other, "b", "2"), (Storage, "c", "3"), (Other, "d", "4"),
        })
        {
            var state = await ReadAsync(storage, Key("alice"));
            state.State = Frame(text).State;
            await storage.WriteStateAsync(Slice, Key("alice"), state);
            Assert.Equal(etag, state.ETag);
        }
        Assert.Equal("d", Text(await ReadAsync(Storage, Key("alice"))));
    }

    [ContractFact(DisplayName = "[D2] a write with a stale etag is a conflict and changes nothing")]
    public async Task Refuses_a_stale_etag()
    {
        var mine = Frame("mine");
        await Storage.WriteStateAsync(Slice, Key("alice"), mine);
        var theirs = await ReadAsync(Other, Key("alice"));
        theirs.State = Frame("theirs").State;
        await Other.WriteStateAsync(Slice, Key("alice"), theirs);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.WriteStateAsync(Slice, Key("alice"), mine));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Storage.ClearStateAsync(Slice, Key("alice"), mine));

        Assert.Equal("1", mine.ETag);
        Assert.Equal("theirs", Text(await ReadAsync(Storage, Key("alice"))));
    }

    [ContractFact(DisplayName = "[D2] of many first writers at once one wins, the others meet a conflict")]
    public async Task Closes_the_race_of_first_writers()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(number =>
            TryAsync(() => (number % 2 == 0 ? Storage : Other).WriteStateAsync(Slice, Key("alice"), Frame($"{number}")))));

        Assert.Single(outcomes, outcome => outcome is null);
        Assert.All(outcomes.OfType<Exception>(), failure => Assert.IsType<InconsistentStateException>(failure));
        Assert.Equal("1", (await ReadAsync(Storage, Key("alice"))).ETag);
    }

    [ContractFact(DisplayName = "[D2] of 64 writers on one row each loses no update")]
    public async Task Counts_with_64_writers()
    {
        var first = Frame("0");
        await Storage.WriteStateAsync(Slice, Key("counter"), first);

        await Task.WhenAll(Enumerable.Range(0, 64).Select(async number =>
        {
            var storage = number % 2 == 0 ? Storage : Other;
            while (true)
            {
                var state = await ReadAsync(storage, Key("counter"));
                state.State = Frame($"{int.Parse(Text(state)) + 1}").State;
                if (await TryAsync(() => storage.WriteStateAsync(Slice, Key("counter"), state)) is null)
                    return;
            }
        }));

        var last = await ReadAsync(Storage, Key("counter"));
        Assert.Equal("64", Text(last));
        Assert.Equal("65", last.ETag);
    }

    [ContractFact(DisplayName = "[D2] a cleared row reads as empty and can be written again")]
    public async Task Clears_and_writes_again()
    {
        var state = Frame("gone soon");
        await Storage.WriteStateAsync(Slice, Key("alice"), state);

        await Storage.ClearStateAsync(Slice, Key("alice"), state);
        Assert.False(state.RecordExists);
        Assert.Empty(state.State!.Bytes);
        Assert.False((await ReadAsync(Other, Key("alice"))).RecordExists);

        state.State = Frame("back").State;
        await Storage.WriteStateAsync(Slice, Key("alice"), state);
        var read = await ReadAsync(Other, Key("alice"));
        Assert.Equal("back", Text(read));
        Assert.Equal(state.ETag, read.ETag);
    }

    [ContractFact(DisplayName = "[D2] a cleared row is written again by who never saw it, after reading")]
    public async Task A_new_activation_writes_after_a_clear()
    {
        var state = Frame("gone soon");
        await Storage.WriteStateAsync(Slice, Key("alice"), state);
        await Storage.ClearStateAsync(Slice, Key("alice"), state);

        var next = await ReadAsync(Other, Key("alice"));
        next.State = Frame("new").State;
        await Other.WriteStateAsync(Slice, Key("alice"), next);

        Assert.Equal("new", Text(await ReadAsync(Storage, Key("alice"))));
    }

    [ContractFact(DisplayName = "[D4] a cleared row does not come back through a writer who last saw it before, or never")]
    public async Task A_clear_is_final_for_stale_writers()
    {
        var stale = Frame("old");
        await Other.WriteStateAsync(Slice, Key("alice"), stale);
        await Storage.ClearStateAsync(Slice, Key("alice"), await ReadAsync(Storage, Key("alice")));

        await Assert.ThrowsAsync<InconsistentStateException>(() => Other.WriteStateAsync(Slice, Key("alice"), stale));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Other.WriteStateAsync(Slice, Key("alice"), Frame("first")));
        Assert.False((await ReadAsync(Storage, Key("alice"))).RecordExists);
    }

    [ContractFact(DisplayName = "[D2] clearing what was never written does nothing")]
    public async Task Clears_before_the_first_write()
    {
        var state = new GrainState<StoredFrame>(new StoredFrame());
        await Storage.ClearStateAsync(Slice, Key("nobody"), state);

        Assert.False(state.RecordExists);
        await Storage.WriteStateAsync(Slice, Key("nobody"), Frame("first"));
    }

    [ContractFact(DisplayName = "[D2] an empty frame is a row, and not a cleared one")]
    public async Task Keeps_an_empty_frame()
    {
        await Storage.WriteStateAsync(Slice, Key("alice"), new GrainState<StoredFrame>(new StoredFrame()));

        var read = await ReadAsync(Other, Key("alice"));
        Assert.True(read.RecordExists);
        Assert.Empty(read.State!.Bytes);
    }

    [ContractFact(DisplayName = "[D2] a state that is null is refused, and the row stays as it is")]
    public async Task Refuses_null()
    {
        await Storage.WriteStateAsync(Slice, Key("alice"), Frame("kept"));

        await Assert.ThrowsAnyAsync<Exception>(() =>
            Storage.WriteStateAsync(Slice, Key("alice"), new GrainState<StoredFrame>(null!, "1") { RecordExists = true }));
        Assert.Equal("kept", Text(await ReadAsync(Other, Key("alice"))));
    }

    [ContractFact(DisplayName = "[D2] 5 MB go through, with every byte value, several at once")]
    public async Task Carries_5_MB()
    {
        var bytes = new byte[5 << 20];
        new Random(1).NextBytes(bytes);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Storage.WriteStateAsync(
            Slice, Key($"large {number}"), new GrainState<StoredFrame>(new StoredFrame { Bytes = bytes }))));

        foreach (var number in Enumerable.Range(0, 4))
            Assert.Equal(bytes, (await ReadAsync(Other, Key($"large {number}"))).State!.Bytes);
    }

    [ContractFact(DisplayName = "[D2] every key is a row of its own, however odd")]
    public async Task Keeps_odd_keys_apart()
    {
        var guid = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e");
        // Not among them: two spellings of one number or GUID, which Orleans' hashing takes for the same key. No key of a
        // session, a clip or a ledger is either; those of hostile user ids are in the next test.
        string[] keys =
        [
            "alice/app-state", "Alice/app-state", "ALICE/APP-STATE", "alice/app-state ", " alice/app-state", "alice", "42", "2a",
            "42+x", "-1", "deadbeef", guid.ToString("N"), $"{guid:N}+x",
            "o'hara\"; DROP TABLE OrleansStorage; --",
            "a/b/c", "a\\b", "%", "_", "☃", "日本語/ストア", "e\u0301", "\u00e9", "😀", "tab\there", "line\nbreak", "null",
            new('x', 512), new('界', 512),
        ];

        await Task.WhenAll(keys.Select(key => Storage.WriteStateAsync(Slice, Key(key), Frame(key))));

        foreach (var key in keys)
            Assert.Equal(key, Text(await ReadAsync(Other, Key(key))));
        Assert.All(await Task.WhenAll(keys.Select(key => ReadAsync(Storage, Key(key)))), read => Assert.Equal("1", read.ETag));
    }

    [ContractFact(DisplayName =
        "[D2] two names of 512 characters fit; SQL Server, whose index takes fewer, refuses them with the limit")]
    public async Task Long_names()
    {
        var random = new Random(1);
        var (state, key) = (Name(), Key(Name()));
        var outcome = await TryAsync(() => Storage.WriteStateAsync(state, key, Frame("long")));
        if (provider is DatabaseProvider.SqlServer)
        {
            Assert.IsType<StorageRejectedException>(outcome);
            return;
        }
        Assert.Null(outcome);
        foreach (var (storage, text) in new[] { (Other, "longer"), (Storage, "longest") })
        {
            var read = new GrainState<StoredFrame>(new StoredFrame());
            await storage.ReadStateAsync(state, key, read);
            Assert.True(read.RecordExists);
            read.State = Frame(text).State;
            await storage.WriteStateAsync(state, key, read);
        }
        Assert.IsType<InconsistentStateException>(await TryAsync(() =>
            Storage.WriteStateAsync(state, key, Frame("another first one"))));

        // Characters of three bytes that do not compress.
        string Name() => string.Concat(Enumerable.Range(0, 512).Select(_ => (char)random.Next(0x4e00, 0x9fff)));
    }

    [ContractFact(DisplayName = "[D2] a write past the last version fails, and the row stays as it is")]
    public async Task The_last_version()
    {
        var state = Frame("kept");
        await Storage.WriteStateAsync(Slice, Key("alice"), state);
        await SetVersionAsync(int.MaxValue);
        var last = await ReadAsync(Storage, Key("alice"));
        Assert.Equal($"{int.MaxValue}", last.ETag);

        last.State = Frame("one too many").State;
        Assert.NotNull(await TryAsync(() => Storage.WriteStateAsync(Slice, Key("alice"), last)));
        Assert.Equal("kept", Text(await ReadAsync(Other, Key("alice"))));
    }

    [ContractFact(DisplayName = "[D2] a state of a generic type has one row for both writers")]
    public async Task Generic_names()
    {
        const string Generic = "Cart`1[[Shop.Item, Shop, Version=1.2.0.0, Culture=neutral, PublicKeyToken=null]]";
        await Storage.WriteStateAsync(Generic, Key("alice"), Frame("generic"));

        var read = new GrainState<StoredFrame>(new StoredFrame());
        await Other.ReadStateAsync(Generic.Replace("1.2", "1.3", StringComparison.Ordinal), Key("alice"), read);
        Assert.Equal("generic", Text(read));
    }

    [ContractFact(DisplayName =
        "[I1] user ids that differ in case, accents, forms, zeros or spellings have rows of their "
        + "own, for the stock provider too")]
    public async Task Keeps_users_apart()
    {
        string[] users =
        [
            "ab+x", "AB+x", "0ab+x", "00ab+x", "7", "007", "+7", "ab", "AB", "deadbeef", "DEADBEEF",
            "0f8fad5bd9cb469fa16570867728950e", "0F8FAD5BD9CB469FA16570867728950E", "0f8fad5b-d9cb-469f-a165-70867728950e",
            // Not with braces, on which the stock provider's own text formatting fails.
            "Ada", "ada", "\u00e9", "e\u0301", "E\u0301", "e", "\u212b", "\u00c5", "ß", "ss", "ı", "i", "İ",
            "a\u200bb", "ab\u200b", "u", "u+7",
        ];
        var keys = users.SelectMany(user =>
            (string[])[new SessionId(user).Key, GrainKeys.OfUser(user), AudioClipKey.For(user, new string('a', 64))]).ToArray();
        Assert.All(users, user => Assert.Null(new SessionId(user).Validate()));
        Assert.Equal(keys.Length, keys.Distinct(StringComparer.Ordinal).Count());

        await Task.WhenAll(keys.Select(key => Storage.WriteStateAsync(Slice, Key(key), Frame(key))));

        foreach (var key in keys)
        {
            Assert.Equal(key, Text(await ReadAsync(Storage, Key(key))));
            Assert.Equal(key, Text(await ReadAsync(Other, Key(key))));
        }
    }

    [ContractFact(DisplayName = "[D2] the slices of one session are rows of their own")]
    public async Task Keeps_states_of_a_grain_apart()
    {
        string[] slices = ["preferences", "chunks", "Preferences", "savedVoices", "quarantine/1"];
        await Task.WhenAll(slices.Select(slice => Storage.WriteStateAsync(slice, Key("alice"), Frame(slice))));

        foreach (var slice in slices)
        {
            var read = new GrainState<StoredFrame>(new StoredFrame());
            await Other.ReadStateAsync(slice, Key("alice"), read);
            Assert.Equal(slice, Text(read));
        }
    }

    [ContractFact(DisplayName = "[D3] many rows at once: each has its own etag and its own bytes")]
    public async Task Writes_many_rows_at_once()
    {
        var states = Enumerable.Range(0, 1000).Select(number => Frame($"{number}")).ToArray();
        foreach (var _ in Enumerable.Range(0, 3))
            await Task.WhenAll(states.Select((state, number) => Storage.WriteStateAsync(Slice, Key($"user {number}"), state)));

        Assert.All(states, state => Assert.Equal("3", state.ETag));
        var read = await Task.WhenAll(states.Select((_, number) => ReadAsync(Other, Key($"user {number}"))));
        Assert.Equal(states.Select(Text), read.Select(Text));
    }

    [ContractFact(DisplayName = "[D3] a conflict fails its own writer alone")]
    public async Task A_conflict_fails_its_own_writer_alone()
    {
        var states = Enumerable.Range(0, 200).Select(number => Frame($"{number}")).ToArray();
        await WriteAllAsync();
        foreach (var number in new[] { 3, 77, 199 })
            await Other.WriteStateAsync(Slice, Key($"user {number}"), await ReadAsync(Other, Key($"user {number}")));

        var outcomes = await WriteAllAsync();

        Assert.Equal([3, 77, 199], Enumerable.Range(0, 200).Where(number => outcomes[number] is InconsistentStateException));
        Assert.Equal(197, outcomes.Count(outcome => outcome is null));

        Task<Exception?[]> WriteAllAsync() => Task.WhenAll(states.Select((state, number) =>
            TryAsync(() => Storage.WriteStateAsync(Slice, Key($"user {number}"), state))));
    }

    [ContractFact(DisplayName = "[D3] a row that the database refuses fails its own writer alone")]
    public async Task A_bad_row_fails_its_own_writer_alone()
    {
        var bad = new string('x', 600);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 100).Select(number =>
            TryAsync(() => Storage.WriteStateAsync(Slice, Key(number == 42 ? bad : $"user {number}"), Frame($"{number}")))));

        Assert.Equal([42], Enumerable.Range(0, 100).Where(number => outcomes[number] is not null));
        var refusal = Assert.IsType<StorageRejectedException>(outcomes[42]);
        if (writer is StorageWriter.GroupCommit)
            Assert.Equal("grain key: must be at most 512 characters, was 600", refusal.Message);
        Assert.Equal("99", Text(await ReadAsync(Other, Key("user 99"))));
    }

    [ContractFact(DisplayName =
        "[D3] of writes cancelled under way each is stored, or its writer was told that it is not, or that nobody knows")]
    public async Task Cancels()
    {
        using var cancel = new CancellationTokenSource();
        var writes = Enumerable.Range(0, 200).Select(number =>
            TryAsync(() => Storage.WriteStateAsync(Slice, Key($"user {number}"), Frame($"{number}"), cancel.Token))).ToArray();
        await cancel.CancelAsync();

        var outcomes = await Task.WhenAll(writes);
        await Storage.WriteStateAsync(Slice, Key("after"), Frame("after"));
        var stored = await Task.WhenAll(writes.Select((_, number) => ReadAsync(Other, Key($"user {number}"))));
        foreach (var (outcome, state) in outcomes.Zip(stored))
        {
            if (outcome is null) Assert.True(state.RecordExists);
            else if (outcome is OperationCanceledException && writer is StorageWriter.GroupCommit)
            {
                Assert.False(state.RecordExists);
            }
            else
            {
                Assert.True(outcome is OperationCanceledException or TimeoutException, $"{outcome}");
            }
        }
    }

    [ContractFact(DisplayName =
        "[D3] stopping the storage waits for the writes under way: each is stored, or its writer was told")]
    public async Task Drains_at_stop()
    {
        var writes = Enumerable.Range(0, 500).Select(number =>
            TryAsync(() => Storage.WriteStateAsync(Slice, Key($"user {number}"), Frame($"{number}")))).ToArray();
        await running.StopAsync();

        var outcomes = await Task.WhenAll(writes);
        var read = await Task.WhenAll(writes.Select((_, number) => ReadAsync(Other, Key($"user {number}"))));
        Assert.Equal(outcomes.Select(outcome => outcome is null), read.Select(state => state.RecordExists));
    }

    private async Task SetVersionAsync(int version)
    {
        await using var connection = DatabaseDialect.Of(provider).Connect(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"UPDATE OrleansStorage SET Version = {version} WHERE ServiceId = '{serviceId}'";
        await command.ExecuteNonQueryAsync();
    }

    private static GrainId Key(string key) => GrainId.Create("session", key);

    private static GrainState<StoredFrame> Frame(string text) => new(new StoredFrame { Bytes = Encoding.UTF8.GetBytes(text) });

    private static string Text(GrainState<StoredFrame> state) => Encoding.UTF8.GetString(state.State!.Bytes);

    private static async Task<GrainState<StoredFrame>> ReadAsync(IGrainStorage storage, GrainId key)
    {
        var state = new GrainState<StoredFrame>(new StoredFrame());
        await storage.ReadStateAsync(Slice, key, state);
        return state;
    }

    private static async Task<Exception?> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }
}
