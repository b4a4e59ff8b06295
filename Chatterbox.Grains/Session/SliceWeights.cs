using System.Text.Json;

namespace Chatterbox.Grains.Session;

/// <summary>
/// Holds a session to its limits in bytes of JSON, so that what it accepts it can store, load and send. What a slice has is known
/// as an upper bound, which grows by what each change can add at most; only a bound that exceeds a limit has the slice measured.
/// </summary>
internal sealed class SliceWeights(AppDefinition app)
{
    /// <summary>What a change may add beside its own JSON: selecting an engine keeps the parameters of the one before.</summary>
    private const int Beside = 1024;

    private const long Unknown = -1;

    /// <summary>By the slices' index.</summary>
    private readonly long[] _most = [.. app.Stored.Select(_ => Unknown)];

    /// <summary>Nothing is known of the slices' sizes: another state is in place.</summary>
    public void Forget() => _most.AsSpan().Fill(Unknown);

    /// <summary>
    /// Counts a change in, or says that it would exceed a limit. One that makes a slice smaller is always taken.
    /// </summary>
    public Rejection? Add(SessionState before, SessionState after, SessionChange change)
    {
        var slice = change.Slice;
        if (!slice.IsStored) return null;
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
            foreach (var each in app.Stored) _most[each.Index] = each.Measure(each.Get(before));
            most = slice.Measure(slice.Get(after));
            var total = Total(before, slice, most);
            if (total > Limits.SessionBytes
                && Exceeds(slice, before, most, "session", Limits.SessionBytes, total) is { } sessionsLimit)
                return sessionsLimit;
        }
        _most[slice.Index] = most;
        return null;
    }

    private static Rejection? Exceeds(SliceDefinition slice, SessionState before, long after, string field,
        long allowed, long? total = null)
    {
        var used = slice.Measure(slice.Get(before));
        return after <= used
            ? null
            : new(field, $"{(total ?? after) - (after - used)} used and {after - used} added",
                $"at most {allowed} bytes of JSON");
    }

    private long MostOf(SliceDefinition slice, SessionState state)
    {
        ref var most = ref _most[slice.Index];
        if (most == Unknown) most = slice.Measure(slice.Get(state));
        return most;
    }

    private long Total(SessionState state, SliceDefinition changed, long most)
    {
        foreach (var slice in app.Stored)
        {
            if (slice != changed) most += MostOf(slice, state);
        }
        return most;
    }

    private long JsonLength(SessionChange change)
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        app.WriteChange(json, change);
        return json.BytesCommitted + json.BytesPending;
    }
}
