using System.Collections.Immutable;

namespace Chatterbox.Tests.Sessions.Model;

/// <summary>What came to be of a slice: a client's change, or a state that took its place.</summary>
internal sealed record Happening(string Client, long Sequence, AppStateChange? Change, AppState? Replaced);

/// <summary>How the content of a state or a row came about, slice by slice: what the code under test knows nothing of.</summary>
internal sealed record History(ImmutableArray<ImmutableList<Happening>> Slices)
{
    public static History Empty { get; } = new([.. TtsApp.Instance.Stored.Select(_ => ImmutableList<Happening>.Empty)]);

    public History With(AppliedChange applied) => !applied.Change.Slice.IsStored
        ? this
        : With(applied.Change.Slice,
            Slices[applied.Change.Slice.Index].Add(new(applied.Client, applied.Sequence, (AppStateChange)applied.Change, null)));

    public History With(SliceDefinition slice, ImmutableList<Happening> happenings) =>
        new(Slices.SetItem(slice.Index, happenings));

    public History Replaced(AppState state) => new([.. Slices.Select(slice => slice.Add(new("", 0, null, state)))]);

    /// <summary>What another history had come to before its state was replaced is replaced in this one as well.</summary>
    public History Over(History other) => new([.. Slices.Zip(other.Slices, (slice, others) =>
        slice.AddRange(others.Take(others.FindLastIndex(each => each.Replaced is not null))
            .Where(each => !slice.Contains(each))))]);

    public bool Holds(string client, long sequence, SliceDefinition slice) =>
        Slices[slice.Index].Any(each => each.Client == client && each.Sequence == sequence);

    /// <summary>
    /// Since the state was last replaced, each change is in once, a client's in their order, and together they give the state.
    /// </summary>
    public void Explains(AppState state)
    {
        foreach (var slice in TtsApp.Instance.Stored)
        {
            var (replayed, last) = (AppState.Initial, new Dictionary<string, long>());
            var happenings = Slices[slice.Index];
            foreach (var (client, sequence, change, replaced) in happenings.Skip(
                happenings.FindLastIndex(each => each.Replaced is not null)))
            {
                if (replaced is not null)
                {
                    replayed = (AppState)slice.With(replayed, slice.Get(replaced));
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
