using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>The whole state of a user's text-to-speech app, as one immutable value.</summary>
/// <remarks>
/// The setters replace null by the default for JSON without the member: source-generated metadata passes null where reflection
/// would keep the initializer's value.
/// </remarks>
[GenerateSerializer, Immutable, Alias("chatterbox.AppState")]
public sealed record AppState : SessionState
{
    public static AppState Initial { get; } = new();

    [Id(0)] public Preferences Preferences { get; init => field = value ?? Preferences.Default; } = Preferences.Default;
    [Id(1)] public ValueList<WorkSession> WorkSessions { get; init => field = value ?? []; } = [];
    [Id(2)] public ValueList<SavedVoice> SavedVoices { get; init => field = value ?? []; } = [];
    [Id(3)] public ValueList<Chunk> Chunks { get; init => field = value ?? []; } = [];
    [Id(4)] public ValueList<BatchItem> BatchItems { get; init => field = value ?? []; } = [];
    [Id(5)] public RuntimeState Runtime { get; init => field = value ?? RuntimeState.Default; } = RuntimeState.Default;

    /// <summary>The work session in use, or null when none is selected or the selected one was removed.</summary>
    [JsonIgnore] public WorkSession? CurrentWorkSession => WorkSessions.Find(Preferences.CurrentSessionId);

    protected override AppDefinition Definition => TtsApp.Instance;

    // Each keeps the reference when the value is equal, so that "nothing changed" is a reference comparison everywhere.
    internal AppState With(Preferences slice) => slice == Preferences ? this : this with { Preferences = slice };

    internal AppState With(ValueList<WorkSession> slice) =>
        ReferenceEquals(slice, WorkSessions) ? this : this with { WorkSessions = slice };

    internal AppState With(ValueList<SavedVoice> slice) =>
        ReferenceEquals(slice, SavedVoices) ? this : this with { SavedVoices = slice };

    internal AppState With(ValueList<Chunk> slice) => ReferenceEquals(slice, Chunks) ? this : this with { Chunks = slice };

    internal AppState With(ValueList<BatchItem> slice) =>
        ReferenceEquals(slice, BatchItems) ? this : this with { BatchItems = slice };

    internal AppState With(RuntimeState slice) => slice == Runtime ? this : this with { Runtime = slice };
}

/// <summary>The user's preferences.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.Preferences")]
public sealed record Preferences
{
    public static Preferences Default { get; } = new();

    [Id(0)] public TtsEngine Engine { get; init; } = TtsEngine.Chatterbox;

    /// <summary>The selected engine's parameters.</summary>
    [Id(1)] public TtsParameters Parameters { get; init => field = value ?? TtsParameters.DefaultsFor(TtsEngine.Chatterbox); } =
        TtsParameters.DefaultsFor(TtsEngine.Chatterbox);

    /// <summary>The last parameters of the other engines, restored when one is selected again.</summary>
    [Id(2)] public OtherEngines OtherEngines { get; init => field = value ?? OtherEngines.None; } = OtherEngines.None;

    [Id(3)] public bool UseStreaming { get; init; }
    [Id(4)] public string? CurrentSessionId { get; init; }

    /// <summary>Names of the slices that the user syncs to every device; null is all.</summary>
    [Id(5)] public ValueList<string>? SyncedSlices { get; init; }

    [Id(6), JsonExtensionData] public UnknownMembers? Unknown { get; set; }

    public TtsParameters ParametersOf(TtsEngine engine) =>
        engine == Engine ? Parameters : OtherEngines.Of(engine) ?? TtsParameters.DefaultsFor(engine);
}

/// <summary>Parameters of the engines that are not selected; null for an engine that was never set.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.OtherEngines")]
public sealed record OtherEngines
{
    public static OtherEngines None { get; } = new();

    [Id(0)] public TtsParameters? Chatterbox { get; init; }
    [Id(1)] public TtsParameters? Multilingual { get; init; }
    [Id(2)] public TtsParameters? Turbo { get; init; }
    [Id(3), JsonExtensionData] public UnknownMembers? Unknown { get; set; }

    public TtsParameters? Of(TtsEngine engine) => engine switch
    {
        TtsEngine.Chatterbox => Chatterbox,
        TtsEngine.Multilingual => Multilingual,
        _ => Turbo,
    };

    public OtherEngines With(TtsEngine engine, TtsParameters? parameters) => engine switch
    {
        TtsEngine.Chatterbox => this with { Chatterbox = parameters },
        TtsEngine.Multilingual => this with { Multilingual = parameters },
        _ => this with { Turbo = parameters },
    };
}

/// <summary>A piece of work that the user can resume: an ordered set of chunks.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.WorkSession")]
public sealed record WorkSession : IKeyed
{
    [Id(0)] public required string Id { get; init; }
    [Id(1)] public required string Name { get; init; }
    [Id(2)] public DateTimeOffset CreatedAt { get; init; }
    [Id(3)] public DateTimeOffset UpdatedAt { get; init; }
    [Id(4)] public ValueList<string> ChunkIds { get; init => field = value ?? []; } = [];
    [Id(5)] public TtsEngine Engine { get; init; }
    [Id(6)] public TtsParameters? Parameters { get; init; }
    [Id(7), JsonExtensionData] public UnknownMembers? Unknown { get; set; }
}

/// <summary>A voice preset.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SavedVoice")]
public sealed record SavedVoice : IKeyed
{
    [Id(0)] public required string Id { get; init; }
    [Id(1)] public required string Name { get; init; }
    [Id(2)] public TtsEngine Engine { get; init; }
    [Id(3)] public required TtsParameters Parameters { get; init; }
    [Id(4)] public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The recording the voice is cloned from.</summary>
    [Id(5)] public AudioRef? Prompt { get; init; }

    [Id(6), JsonExtensionData] public UnknownMembers? Unknown { get; set; }
}

[GenerateSerializer, Alias("chatterbox.WorkStatus")]
public enum WorkStatus
{
    [JsonStringEnumMemberName("pending")] Pending = 0,
    [JsonStringEnumMemberName("generating")] Generating = 1,
    [JsonStringEnumMemberName("completed")] Completed = 2,
    [JsonStringEnumMemberName("error")] Error = 3,

    /// <summary>Was in progress when its client or silo crashed; ready to run again.</summary>
    [JsonStringEnumMemberName("interrupted")] Interrupted = 4,
}

internal static class WorkStatuses
{
    /// <summary>Waiting or being generated: the work of a client.</summary>
    public static bool IsUnfinished(this WorkStatus status) => status is WorkStatus.Pending or WorkStatus.Generating;
}

/// <summary>One text and, once generated, its audio, with the exact settings it was made with.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.Chunk")]
public sealed record Chunk : IKeyed
{
    [Id(0)] public required string Id { get; init; }

    /// <summary>1 to 300 characters.</summary>
    [Id(1)] public required string Text { get; init; }

    [Id(2)] public WorkStatus Status { get; init; }
    [Id(3)] public TtsEngine Engine { get; init; }
    [Id(4)] public required TtsParameters Parameters { get; init; }

    /// <summary>Present if and only if <see cref="Status"/> is completed.</summary>
    [Id(5)] public AudioRef? Audio { get; init; }

    [Id(6)] public DateTimeOffset CreatedAt { get; init; }
    [Id(7), JsonExtensionData] public UnknownMembers? Unknown { get; set; }
}

/// <summary>A file or list that is generated as a batch of chunks.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.BatchItem")]
public sealed record BatchItem : IKeyed
{
    [Id(0)] public required string Id { get; init; }
    [Id(1)] public required string Name { get; init; }
    [Id(2)] public ValueList<string> ChunkIds { get; init => field = value ?? []; } = [];
    [Id(3)] public WorkStatus Status { get; init; }
    [Id(4)] public DateTimeOffset? CreatedAt { get; init; }
    [Id(5), JsonExtensionData] public UnknownMembers? Unknown { get; set; }
}

/// <summary>Work in progress. Sent to every client, never stored.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.RuntimeState")]
public sealed record RuntimeState
{
    public static RuntimeState Default { get; } = new();

    [Id(0)] public bool IsGenerating { get; init; }
    [Id(1)] public string? CurrentGeneratingId { get; init; }
    [Id(2)] public string? SystemStatus { get; init; }
    [Id(3)] public ValueList<TransientError> Errors { get; init => field = value ?? []; } = [];

    /// <summary>Name of the voice reference being uploaded, if one is.</summary>
    [Id(4)] public string? VoiceUpload { get; init; }
}

[GenerateSerializer, Immutable, Alias("chatterbox.TransientError")]
public sealed record TransientError : IKeyed
{
    [Id(0)] public required string Id { get; init; }
    [Id(1)] public required string Message { get; init; }
}
