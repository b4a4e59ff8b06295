using Chatterbox.Silo.Gateway.Access;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Orleans.Concurrency;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>Audio: up by pieces, in whatever order and again where one was lost; down with ranges.</summary>
internal static class AudioApi
{
    private const int Year = 365;

    public static void Map(RouteGroupBuilder audio)
    {
        audio.MapPost("", BeginAsync).WithSummary("Begins an upload, or resumes one: says which pieces are left to send.");
        audio.MapPut("/pieces/{piece:int}", PutPieceAsync).WithSummary("Stores a piece. Sending it again does nothing.")
            .Accepts<byte[]>("application/octet-stream")
            .WithMetadata(new BodyLimit(AudioPieces.Bytes)).RequireRateLimiting(GatewayExtensions.Large);
        audio.MapPost("/complete", CompleteAsync).WithSummary("Makes the pieces a clip, if they have the hash in the path.");
        audio.MapGet("", GetAsync).WithSummary("The clip, or a range of it.")
            .Produces<byte[]>(StatusCodes.Status200OK, "audio/wav")
            .Produces<byte[]>(StatusCodes.Status206PartialContent, "audio/wav");
    }

    /// <summary>Refuses a path that can be no clip's.</summary>
    public static ValueTask<object?> CheckAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var hash = context.HttpContext.GetRouteValue("sha256") as string ?? "";
        return hash.Length == 64 && hash.All(char.IsAsciiHexDigitLower)
            ? next(context)
            : new(Problems.Of(
                Rejection.OfText("sha256", hash, "64 digits of 0-9 and a-f"), StatusCodes.Status404NotFound, "Not found"));
    }

    private static async Task<Results<Ok<UploadAnswer>, JsonHttpResult<Problem>>> BeginAsync(
        [AsParameters] ClipRequest of, UploadCall call)
    {
        var begun = await of.Clip.BeginUploadAsync(new(call.Store, call.Length, call.MediaType));
        return begun.Quota is { } quota ? Problems.Of(quota)
            : begun.Refused is { } why ? Problems.Of(why)
            : TypedResults.Ok(new UploadAnswer(AudioPieces.Bytes, begun.Missing, begun.Stored));
    }

    private static async Task<Results<NoContent, JsonHttpResult<Problem>>> PutPieceAsync([AsParameters] ClipRequest of, int piece)
    {
        var bytes = await ReadAsync(of.Http.Request);
        var put = await of.Clip.PutPieceAsync(piece, new Immutable<byte[]>(bytes));
        return put.Refused is { } why ? Problems.Of(why) : put.Unknown ? NotBegun() : TypedResults.NoContent();
    }

    private static async Task<Results<Ok<UploadAnswer>, JsonHttpResult<Problem>>> CompleteAsync([AsParameters] ClipRequest of)
    {
        var put = await of.Clip.CompleteUploadAsync();
        return put.Quota is { } quota ? Problems.Of(quota)
            : put.Refused is { } why ? Problems.Of(why)
            : put.Unknown ? NotBegun()
            : TypedResults.Ok(new UploadAnswer(AudioPieces.Bytes, put.Missing, put.Audio));
    }

    private static async Task<Results<FileStreamHttpResult, JsonHttpResult<Problem>>> GetAsync([AsParameters] ClipRequest of)
    {
        if (await of.Clip.DescribeAsync() is not { } audio) return Problems.NotFound("There is no such clip, or it is damaged.");
        of.Http.Response.Headers.CacheControl = $"private, immutable, max-age={(int)TimeSpan.FromDays(Year).TotalSeconds}";
        // Nothing that a browser would run.
        var mediaType = audio.MediaType.StartsWith("audio/", StringComparison.Ordinal)
            ? audio.MediaType
            : "application/octet-stream";
        return TypedResults.Stream(new ClipStream(of.Clip, audio.Length), mediaType,
            entityTag: new EntityTagHeaderValue($"\"{of.Hash}\""), enableRangeProcessing: true);
    }

    private static JsonHttpResult<Problem> NotBegun() =>
        Problems.Of(
            new Problem("Not begun", StatusCodes.Status409Conflict, "The upload is not known, or no longer: begin it again."));

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        using var bytes = new MemoryStream(
            request.ContentLength is > 0 and <= AudioPieces.Bytes and var length ? (int)length : 0);
        await request.Body.CopyToAsync(bytes, request.HttpContext.RequestAborted);
        return bytes.Length == bytes.Capacity ? bytes.GetBuffer() : bytes.ToArray();
    }

    /// <summary>A request about a clip of the token's user.</summary>
    internal readonly record struct ClipRequest(
        [FromRoute(Name = "sha256")] string Hash, HttpContext Http, IGrainFactory Grains)
    {
        public IAudioClipGrain Clip => Grains.GetGrain<IAudioClipGrain>(AudioClipKey.For(Http.User.UserId()!, Hash));
    }
}
