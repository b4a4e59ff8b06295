using System.Text.Json;
using System.Text.Json.Serialization;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Audio;

/// <summary>The state of a clip in pieces.</summary>
internal enum ClipState
{
    [JsonStringEnumMemberName("uploading")] Uploading,
    [JsonStringEnumMemberName("stored")] Stored,

    /// <summary>Being deleted: only pieces remain to be deleted.</summary>
    [JsonStringEnumMemberName("deleting")] Deleting,
}

/// <summary>
/// The <c>clip</c> row of a clip that is stored in pieces. Every state change of such a clip is one write of this row under its
/// etag, so that of two concurrent ones only one succeeds.
/// </summary>
/// <param name="Upload">
/// Names the rows of the pieces. Unique per upload: deleting the pieces of one upload can never affect the next.
/// </param>
/// <param name="PieceBytes">The length of all pieces but the last.</param>
internal sealed record ClipHead(ClipState State, string Upload, int PieceBytes, AudioRef Audio)
{
    private const int Version = 1;

    [JsonIgnore] public int Pieces => (int)((Audio.Length + PieceBytes - 1) / PieceBytes);

    public int LengthOf(int piece) => (int)Math.Min(PieceBytes, Audio.Length - ((long)piece * PieceBytes));

    public string RowOf(int piece) => $"clip-{Upload}-{piece}";

    public byte[] Encode() =>
        SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes(this, AudioJson.Default.ClipHead), Version, int.MaxValue);

    /// <summary>The head, or null when the bytes are not a head: a whole clip, or damaged.</summary>
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
