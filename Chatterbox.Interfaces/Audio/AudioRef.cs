using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>Refers to an audio clip, which is never part of the state itself.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.AudioRef")]
public sealed record AudioRef
{
    /// <summary>SHA-256 of the clip, 64 lower-case hexadecimal digits.</summary>
    [Id(0)] public required string Hash { get; init; }

    /// <summary>Bytes.</summary>
    [Id(1)] public long Length { get; init; }

    [Id(2)] public string MediaType { get; init => field = value ?? "audio/wav"; } = "audio/wav";

    /// <summary>Hertz; 0 when the clip does not say.</summary>
    [Id(3)] public int SampleRate { get; init; }

    /// <summary>Seconds; 0 when the clip does not say.</summary>
    [Id(4)] public double Duration { get; init; }

    [Id(5), JsonExtensionData] public UnknownMembers? Unknown { get; set; }
}
