using System.Diagnostics.Metrics;
using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.Time.Testing;

namespace Chatterbox.Tests.Persistence;

public sealed class MetricsTests : IDisposable
{
    // What is measured by other tests meanwhile is none of this one's.
    private static readonly AsyncLocal<MetricsTests?> Mine = new();
    private readonly Dictionary<string, double> _sums = [];
    private readonly MeterListener _listener = new();

    public MetricsTests()
    {
        Mine.Value = this;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == ChatterboxInstruments.MeterName) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
        _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument, value));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    [Fact(DisplayName = "what is loaded, migrated, set aside and saved is measured")]
    public async Task Rows()
    {
        var storage = new MemoryStorage
        {
            ["preferences"] = Frames.Of("""{"version":0,"revision":7,"applied":{},"state":{"useStreaming":true}}""", version: 0),
            ["chunks"] = [1, 2, 3],
        };
        var store = SessionStoreTests.New(storage);
        var moment = await store.LoadAsync();
        Assert.Equal(1, Sum(ChatterboxInstruments.Migrated));
        await store.SaveAsync(moment);
        Assert.Equal((2, 2), (Sum(ChatterboxInstruments.Kept), Sum(ChatterboxInstruments.RowWrites)));
        Assert.Equal(storage["preferences"]!.Length + storage["chunks"]!.Length, Sum(ChatterboxInstruments.BytesWritten));
        Assert.Equal(SliceFrame.BodyLength(storage["preferences"]) + SliceFrame.BodyLength(storage["chunks"]),
            Sum(ChatterboxInstruments.BytesBeforeCompression));
    }

    [Fact(DisplayName = "how long changes take until they are durable is measured, and saves that are tried again")]
    public async Task Saves()
    {
        var clock = new FakeTimeProvider();
        var fails = true;
        var writer = new WriteBehind(new DebouncePolicy(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)),
            new RetryPolicy(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), () => 0), clock,
            () => fails ? throw new IOException("full") : Task.CompletedTask, _ => { });
        writer.Changed();
        await writer.FlushAsync();
        Assert.Equal((1, 0), (Sum(ChatterboxInstruments.Retries), Sum(ChatterboxInstruments.TimeToDurable)));
        fails = false;
        clock.Advance(TimeSpan.FromSeconds(3));
        await writer.FlushAsync();
        Assert.Equal((1, 3), (Sum(ChatterboxInstruments.Retries), Sum(ChatterboxInstruments.TimeToDurable)));
    }

    private double Sum(Instrument instrument) => _sums.GetValueOrDefault(instrument.Name);

    private static void Add(Instrument instrument, double value)
    {
        if (Mine.Value is { } mine)
        {
            lock (mine._sums) mine._sums[instrument.Name] = mine._sums.GetValueOrDefault(instrument.Name) + value;
        }
    }
}
