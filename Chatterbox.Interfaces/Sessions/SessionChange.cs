using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>
/// A change of exactly one slice, as a record that applies, checks and weighs itself. Members are only ever appended.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionChange")]
public abstract record SessionChange
{
    /// <summary>Bytes in memory of a change without text or lists, as <see cref="Weigh"/> counts them.</summary>
    protected internal const int UsualWeight = 160;

    /// <summary>The one slice that the change touches.</summary>
    [JsonIgnore] public SliceDefinition Slice => Target;

    protected abstract SliceDefinition Target { get; }

    /// <summary>Whether the change may add what the store does not keep: <see cref="AppDefinition"/> then looks for it.</summary>
    [JsonIgnore] internal bool AddsItems => MayOutgrowStore;

    /// <inheritdoc cref="AddsItems"/>
    protected virtual bool MayOutgrowStore => false;

    /// <summary>Checks the change against a state of its app, and applies it. May throw for a change of another app.</summary>
    internal abstract ChangeResult CheckAndApply(SessionState state, ValueList<string>? slices);

    /// <summary>
    /// About how many bytes of memory the change takes: exact enough to bound queues, cheap enough for every event.
    /// </summary>
    protected internal virtual int Weigh() => UsualWeight;

    /// <summary>An upper bound of the change's bytes of JSON that costs nothing to compute; null when there is none.</summary>
    protected internal virtual int? MostBytes() => null;

    /// <summary>Notes the work that an applied change of a client begins or ends.</summary>
    protected internal virtual void NoteWork(WorkLog work, string client) { }
}

/// <summary>A change of a state of type <typeparamref name="TState"/>.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.Change`1")]
public abstract record Change<TState> : SessionChange where TState : SessionState
{
    /// <summary>Checks the change against the state it will be applied to. Null when it is allowed.</summary>
    /// <param name="slices">The slices that the state includes; null is all. The others cannot be checked against.</param>
    protected internal virtual Rejection? Check(TState state, ValueList<string>? slices) => null;

    /// <summary>Applies the change. Pure. Returns the same instance where nothing changes. Called after
    /// <see cref="Check"/>.</summary>
    protected internal abstract TState Apply(TState state);

    internal sealed override ChangeResult CheckAndApply(SessionState state, ValueList<string>? slices)
    {
        var typed = (TState)state;
        return Check(typed, slices) is { } rejection ? new(state, rejection) : new(Apply(typed), null);
    }
}

/// <summary>The result of a change: the new state, or the old state and the reason for the refusal.</summary>
public readonly record struct ChangeResult(SessionState State, Rejection? Rejection);
