using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>The state of a session, as one immutable value of slices. Each app derives one sealed record.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionState")]
public abstract record SessionState
{
    /// <summary>The app whose state it is.</summary>
    [JsonIgnore] public AppDefinition App => Definition;

    protected abstract AppDefinition Definition { get; }
}
