using Chatterbox.Grains.Persistence;
using Orleans.Storage;

namespace Chatterbox.Tests.Persistence;

public sealed class StoredRowTests
{
    private readonly MemoryStorage _storage = new();

    private StoredRow New() => new(_storage, SessionDriver.Owner, "row");

    [Fact(DisplayName = "[P9] a row that is replaced whole is written over whatever another has written meanwhile")]
    public async Task Overwritten()
    {
        var (mine, theirs) = (New(), New());
        await theirs.WriteAsync([1]);
        await Assert.ThrowsAsync<InconsistentStateException>(() => mine.WriteAsync([2]));
        await mine.OverwriteAsync([3]);
        Assert.Equal([3], _storage["row"]);
        Assert.Equal(1, mine.Length);
    }

    [Fact(DisplayName = "[P9] an etag that is said to be stale once is looked at again; one that always is ends as an I/O error")]
    public async Task Stale()
    {
        var tries = 0;
        _storage.Fault = _ => ++tries == 1 ? WriteFault.Stale : WriteFault.None;
        await New().OverwriteAsync([1]);
        Assert.Equal([1], _storage["row"]);

        _storage.Fault = _ => WriteFault.Stale;
        var message = $"The row of {SessionDriver.Owner} are being written by another activation.";
        Assert.Equal(message, (await Assert.ThrowsAsync<IOException>(() => New().OverwriteAsync([2]))).Message);
        Assert.Equal(message, (await Assert.ThrowsAsync<IOException>(() => New().ClearAsync())).Message);
    }

    [Fact(DisplayName = "[P9] before a row is written over, what became of a write that was given up on is looked at")]
    public async Task Given_up()
    {
        var row = New();
        _storage.Fault = _ => WriteFault.After;
        await Assert.ThrowsAsync<TimeoutException>(() => row.OverwriteAsync([1]));
        var etags = new List<string?>();
        (_storage.Fault, _storage.OnTry) = (null, (_, etag) => etags.Add(etag));
        await row.OverwriteAsync([2]);
        await row.OverwriteAsync([3]);
        Assert.Equal(["1", "2"], etags);
    }

    [Fact(DisplayName = "[P9] whether a write got through is told by the bytes; another's are a conflict, and stay unknown")]
    public async Task Holds()
    {
        var (mine, theirs) = (New(), New());
        await mine.WriteAsync([1]);
        Assert.True(await mine.HoldsAsync([1]));
        Assert.False(await mine.HoldsAsync([2]));
        await theirs.OverwriteAsync([2]);
        Assert.True(await mine.HoldsAsync([2]));
        await theirs.OverwriteAsync([3]);
        for (var attempt = 0; attempt < 2; attempt++)
            Assert.Equal($"The row of {SessionDriver.Owner} have been written by another activation.",
                (await Assert.ThrowsAsync<SessionConflictException>(() => mine.HoldsAsync([4]))).Message);
    }

    [Fact(DisplayName = "[D2] storage is told whether there is a row, as far as is known")]
    public async Task Record_exists()
    {
        var storage = new Recording();
        var row = new StoredRow(storage, SessionDriver.Owner, "row");
        Assert.Null(await row.ReadAsync());
        Assert.Equal((null, 0), (row.ETag, row.Length));
        await row.WriteAsync([1, 2]);
        Assert.Equal(("1", 2), (row.ETag, row.Length));
        await row.WriteAsync([]);
        await row.WriteAsync([3]);
        await row.ClearAsync();
        Assert.Equal(0, row.Length);
        await row.ClearAsync();
        Assert.Equal(["write False", "write True", "write False", "clear True", "clear False"], storage.Told);
    }

    [Fact(DisplayName = "[D2] what is stored passes through as it is, and nothing else is")]
    public void Frames_only()
    {
        var serializer = new StoredFrameSerializer();
        Assert.Equal([1, 2], serializer.Serialize(new StoredFrame { Bytes = [1, 2] }).ToArray());
        Assert.Equal([1, 2], serializer.Deserialize<StoredFrame>(new BinaryData((byte[])[1, 2])).Bytes);
        const string Message = "The 'chatterbox' storage holds StoredFrame only, not System.String.";
        Assert.Equal(Message, Assert.Throws<NotSupportedException>(() => serializer.Serialize("text")).Message);
        Assert.Equal(Message,
            Assert.Throws<NotSupportedException>(() => serializer.Deserialize<string>(new BinaryData("text"))).Message);
    }

    private sealed class Recording : IGrainStorage
    {
        public List<string> Told { get; } = [];

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.CompletedTask;

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            Told.Add($"write {grainState.RecordExists}");
            grainState.ETag = $"{Told.Count}";
            return Task.CompletedTask;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            Told.Add($"clear {grainState.RecordExists}");
            return Task.CompletedTask;
        }
    }
}
