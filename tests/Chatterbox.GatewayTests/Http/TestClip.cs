using System.Net;
using System.Security.Cryptography;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests;

internal static class TestClip
{
    public static (byte[] Clip, string Hash) Make(int length)
    {
        var clip = RandomNumberGenerator.GetBytes(length);
        return (clip, Convert.ToHexStringLower(SHA256.HashData(clip)));
    }

    public static async Task<UploadAnswer> UploadAsync(HttpClient http, byte[] clip, string hash)
    {
        using var begun = await http.PostAsync(
            $"/api/audio/{hash}", new UploadCall(SessionId.DefaultStore, clip.Length, "audio/wav"));
        foreach (var piece in (await begun.JsonAsync<UploadAnswer>()).Missing) await PutAsync(http, clip, hash, piece);
        using var complete = await http.PostAsync($"/api/audio/{hash}/complete", null);
        return await complete.JsonAsync<UploadAnswer>();
    }

    public static async Task PutAsync(HttpClient http, byte[] clip, string hash, int piece)
    {
        var bytes = clip.AsSpan(piece * AudioPieces.Bytes, AudioPieces.LengthOf(piece, clip.Length)).ToArray();
        using var put = await http.PutAsync($"/api/audio/{hash}/pieces/{piece}", new ByteArrayContent(bytes));
        Assert.Equal(HttpStatusCode.NoContent, put.StatusCode);
    }
}
