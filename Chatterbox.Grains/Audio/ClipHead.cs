using System.Text.Json;
using System.Text.Json.Serialization;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Audio;

/// <summary>Where a clip in pieces is on its way.</summary>
internal enum ClipState
{
    [JsonStringEnumMemberName("uploading")] Uploading,
    [JsonStringEnumMemberName("stored")] Stored,

    /// <summary>On its way out: only the rest of its pieces has still to be deleted.</summary>
    [JsonStringEnumMemberName("deleting")] Deleting,
}

/// <summary>
/// The <c>clip</c> row of a clip that is stored in pieces. Every step of such a clip's life is one write of this row under its
/// etag, so that of two that know better only one gets its way.
/// </summary>
/// <param name="Upload">
/// Names the rows of the pieces. Made anew with every upload: what deletes the pieces of one can never reach those of the next.
/// </param>
/// <param name="PieceBytes">All pieces but the last have this length.</param>
internal sealed record ClipHead(ClipState State, string Upload, int PieceBytes, AudioRef Audio)
{
    private const int Version = 1;

    [JsonIgnore] public int Pieces => (int)((Audio.Length + PieceBytes - 1) / PieceBytes);

    public int LengthOf(int piece) => (int)Math.Min(PieceBytes, Audio.Length - ((long)piece * PieceBytes));

    public string RowOf(int piece) => $"clip-{Upload}-{piece}";

    public byte[] Encode() => SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes(this, AudioJson.Default.ClipHead), Version, int.MaxValue);

    /// <summary>The head, or null when the bytes are none: a whole clip, or damaged.</summary>
    public static ClipHead? Decode(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(SliceFrame.Decode(bytes).Body.Span, AudioJson.Default.ClipHead);
        }
        catch (Exception damage) when (damage is FrameException or JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClipHead))]
[JsonSerializable(typeof(UnknownMembers))]
[JsonSerializable(typeof(List<LedgerEntry>))]
internal sealed partial class AudioJson : JsonSerializerContext;
