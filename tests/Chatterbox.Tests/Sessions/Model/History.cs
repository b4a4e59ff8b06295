using System.Collections.Immutable;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Tests.Sessions.Model;

/// <summary>What came to be of a slice: a client's change, or a state that took its place.</summary>
internal sealed record Happening(string Client, long Sequence, AppStateChange? Change, AppState? Replaced);

/// <summary>How the content of a state or a row came about, slice by slice: what the code under test knows nothing of.</summary>
internal sealed record History(ImmutableArray<ImmutableList<Happening>> Slices)
{
    public static History Empty { get; } = new([.. SliceDefinition.All.Select(_ => ImmutableList<Happening>.Empty)]);

    public History With(AppliedChange applied) => applied.Change.Slice is Slice.Runtime
        ? this
        : With(applied.Change.Slice,
            Slices[(int)applied.Change.Slice].Add(new(applied.Client, applied.Sequence, applied.Change, null)));

    public History With(Slice slice, ImmutableList<Happening> happenings) => new(Slices.SetItem((int)slice, happenings));

    public History Replaced(AppState state) => new([.. Slices.Select(slice => slice.Add(new("", 0, null, state)))]);

    /// <summary>What another history had come to before its state was replaced is replaced in this one as well.</summary>
    public History Over(History other) => new([.. Slices.Zip(other.Slices, (slice, others) =>
        slice.AddRange(others.Take(others.FindLastIndex(each => each.Replaced is not null))
            .Where(each => !slice.Contains(each))))]);

    public bool Holds(string client, long sequence, Slice slice) =>
        Slices[(int)slice].Any(each => each.Client == client && each.Sequence == sequence);

    /// <summary>
    /// Since the state was last replaced, each change is in once, a client's in their order, and together they give the state.
    /// </summary>
    public void Explains(AppState state)
    {
        foreach (var slice in SliceDefinition.All)
        {
            var (replayed, last) = (AppState.Initial, new Dictionary<string, long>());
            var happenings = Slices[(int)slice.Slice];
            foreach (var (client, sequence, change, replaced) in happenings.Skip(
                happenings.FindLastIndex(each => each.Replaced is not null)))
            {
                if (replaced is not null)
                {
                    replayed = slice.With(replayed, slice.Get(replaced));
                    continue;
                }
                Assert.True(sequence > last.GetValueOrDefault(client),
                    $"{client}'s change {sequence} of the {slice.Name} came after its {last.GetValueOrDefault(client)}");
                last[client] = sequence;
                var (after, rejection) = AppStateReducer.Apply(replayed, change!);
                Assert.Null(rejection);
                replayed = after;
            }
            Assert.Equal(slice.Get(replayed), slice.Get(state));
        }
    }
}
