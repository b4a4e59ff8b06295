using System.Text.Json;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Session;

/// <summary>
/// Holds a session to its limits in bytes of JSON, so that what it accepts it can store, load and send. What a slice has is known
/// as an upper bound, which grows by what each change can add at most; only a bound that exceeds a limit has the slice measured.
/// </summary>
internal sealed class SliceWeights
{
    /// <summary>What a change may add beside its own JSON: selecting an engine keeps the parameters of the one before.</summary>
    private const int Beside = 1024;

    private readonly Dictionary<Slice, long> _most = [];

    /// <summary>Nothing is known of the slices' sizes: another state is in place.</summary>
    public void Forget() => _most.Clear();

    /// <summary>
    /// Counts a change in, or says that it would exceed a limit. One that makes a slice smaller is always taken.
    /// </summary>
    public Rejection? Add(AppState before, AppState after, AppStateChange change)
    {
        if (change.Slice is Slice.Runtime) return null;
        var slice = SliceDefinition.All.First(each => each.Slice == change.Slice);
        var most = MostOf(slice, before) + JsonLength(change) + Beside;
        if (most > Limits.SliceBytes)
        {
            most = slice.Measure(slice.Get(after));
            if (most > Limits.SliceBytes && Exceeds(slice, before, most, slice.Name, Limits.SliceBytes) is { } slicesLimit)
            {
                return slicesLimit;
            }
        }
        if (Total(before, slice, most) > Limits.SessionBytes)
        {
            foreach (var each in SliceDefinition.All) _most[each.Slice] = each.Measure(each.Get(before));
            most = slice.Measure(slice.Get(after));
            var total = Total(before, slice, most);
            if (total > Limits.SessionBytes
                && Exceeds(slice, before, most, "session", Limits.SessionBytes, total) is { } sessionsLimit)
                return sessionsLimit;
        }
        _most[change.Slice] = most;
        return null;
    }

    private static Rejection? Exceeds(SliceDefinition slice, AppState before, long after, string field,
        long allowed, long? total = null)
    {
        var used = slice.Measure(slice.Get(before));
        return after <= used
            ? null
            : new(field, $"{(total ?? after) - (after - used)} used and {after - used} added",
                $"at most {allowed} bytes of JSON");
    }

    private long MostOf(SliceDefinition slice, AppState state)
    {
        if (!_most.TryGetValue(slice.Slice, out var most)) _most[slice.Slice] = most = slice.Measure(slice.Get(state));
        return most;
    }

    private long Total(AppState state, SliceDefinition changed, long most) =>
        SliceDefinition.All.Sum(slice => slice == changed ? most : MostOf(slice, state));

    private static long JsonLength(AppStateChange change)
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        JsonSerializer.Serialize(json, change, ChatterboxJson.Default.AppStateChange);
        return json.BytesCommitted + json.BytesPending;
    }
}
