using Chatterbox.Silo.Gateway.Hub;
using Chatterbox.Silo.Gateway.Wire;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>A session by HTTP: what is too large for the hub, and what is done now and then.</summary>
internal static class SessionApi
{
    public static void Map(RouteGroupBuilder sessions)
    {
        sessions.MapGet("", GetSnapshotAsync).WithSummary("The state. Its ETag is made of epoch and revision.")
            .Produces(StatusCodes.Status304NotModified).RequireRateLimiting(GatewayExtensions.Large);
        sessions.MapPost("/changes", ApplyAsync).WithSummary("Applies changes that are too large for the hub.")
            .WithMetadata(new BodyLimit(WebProtocol.ChangesBytes)).RequireRateLimiting(GatewayExtensions.Large);
        sessions.MapGet("/status", ([AsParameters] SessionRequest of) => OkAsync(of.Session.GetStatusAsync()))
            .WithSummary("The session as it stands on its silo.");
        sessions.MapGet("/info", ([AsParameters] SessionRequest of) => OkAsync(of.Session.GetStorageInfoAsync()))
            .WithSummary("What the session has stored, and how well it saves.");
        sessions.MapPost("/flush", ([AsParameters] SessionRequest of) => OkAsync(of.Session.FlushAsync()))
            .WithSummary("Saves now.");
        sessions.MapPost("/rehydrate", ([AsParameters] SessionRequest of) => OkAsync(of.Session.RehydrateAsync()))
            .WithSummary("Saves, and loads the session again.");
        sessions.MapPost("/clear", ([AsParameters] SessionRequest of) => OkAsync(of.Session.ClearPersistedStateAsync()))
            .WithSummary("Puts the session back to the initial state.");
        sessions.MapPost("/recover", ([AsParameters] SessionRequest of) => OkAsync(of.Session.RecoverFromCrashAsync()))
            .WithSummary("Makes work that a crash interrupted ready to run again.");
        sessions.MapDelete("/recovery", ([AsParameters] SessionRequest of) => OkAsync(of.Session.ClearRecoveryStateAsync()))
            .WithSummary("Discards work that a crash interrupted.");
        sessions.MapGet("/history", ([AsParameters] SessionRequest of) => OkAsync(of.Session.ListHistoryAsync()))
            .WithSummary("What is kept beside the state, newest first.");
        sessions.MapGet("/history/{id}", ReadHistoryAsync).WithSummary("An entry of the history with what it holds.")
            .RequireRateLimiting(GatewayExtensions.Large);
        sessions.MapPost("/history/{id}/restore", ([AsParameters] SessionRequest of, string id) => RestoreAsync(of, id))
            .WithSummary("Restores the slices of an entry. The state from before is kept.");
        sessions.MapPost("/undo", ([AsParameters] SessionRequest of) => RestoreAsync(of, id: null))
            .WithSummary("Restores the newest state from before a clear, import, restore, clean-up or expiry.");
        sessions.MapDelete("/history/{id}", DropHistoryAsync).WithSummary("Deletes an entry of the history, for good.");
    }

    private static async Task<Ok<T>> OkAsync<T>(Task<T> call) => TypedResults.Ok(await call);

    private static async Task<Results<Ok<HistoryContent>, JsonHttpResult<Problem>>> ReadHistoryAsync(
        [AsParameters] SessionRequest of, string id) =>
        await of.Session.ReadHistoryAsync(id) is { } content ? TypedResults.Ok(content) : UnknownEntry(id);

    private static async Task<Results<Ok<RecoveryReport>, JsonHttpResult<Problem>>> RestoreAsync(SessionRequest of, string? id)
    {
        var report = await of.Session.RestoreHistoryAsync(id);
        return report.Refused is { } why ? Problems.Of(why) : TypedResults.Ok(report);
    }

    private static async Task<Results<NoContent, JsonHttpResult<Problem>>> DropHistoryAsync([AsParameters] SessionRequest of,
        string id) =>
        await of.Session.DropHistoryAsync(id) ? TypedResults.NoContent() : UnknownEntry(id);

    private static JsonHttpResult<Problem> UnknownEntry(string id) =>
        Problems.Of(Rejection.OfText("history", id, "the id of an entry"));

    /// <param name="slices">Names of slices, separated by commas; absent is all.</param>
    private static async Task<Results<Ok<SnapshotAnswer>, JsonHttpResult<Problem>, StatusCodeHttpResult>> GetSnapshotAsync(
        [AsParameters] SessionRequest of, [FromQuery] string? slices)
    {
        var app = of.Http.RequestServices.GetRequiredService<ServedStores>().AppOf(of.Store);
        var wanted = slices?.Split(',').Distinct().Order(StringComparer.Ordinal).ToValueList();
        if (wanted is not null && app.CheckSlices(wanted) is { } wrong)
            return Problems.Of(wrong with { Allowed = $"{wrong.Allowed}, separated by commas" });
        var session = of.Session;
        var headers = of.Http.Response.GetTypedHeaders();
        headers.CacheControl = new() { Private = true, NoCache = true };
        if (await UnchangedAsync(session, of.Http.Request, wanted))
        {
            headers.ETag = of.Http.Request.GetTypedHeaders().IfNoneMatch[0];
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }
        var state = await session.GetChangesSinceAsync(0, 0, wanted);
        headers.ETag = TagOf(state);
        return TypedResults.Ok(new SnapshotAnswer(state.Epoch, state.Revision, state.DurableRevision, state.Snapshot!));
    }

    private static async Task<Results<Ok<ApplyAnswer>, JsonHttpResult<Problem>>> ApplyAsync(
        [AsParameters] SessionRequest of, ChangesCall call) => TypedResults.Ok(
            await GatewayHub.RelayAsync(of.Session, new(call.Client, call.Epoch, call.After, call.Changes)));

    // Asked by the tag's own epoch and revision: what it names is current where nothing has happened since.
    private static async Task<bool> UnchangedAsync(IUserSessionGrain session, HttpRequest request, ValueList<string>? slices)
    {
        if (request.GetTypedHeaders().IfNoneMatch is not [{ IsWeak: false } tag]) return false;
        if (tag.Tag.Value!.Trim('"').Split('-') is not [var epochText, var revisionText]) return false;
        if (!long.TryParse(epochText, out var epoch) || !long.TryParse(revisionText, out var revision)) return false;
        var since = await session.GetChangesSinceAsync(epoch, revision, slices);
        return since.Epoch == epoch && since.Revision == revision;
    }

    private static EntityTagHeaderValue TagOf(CatchUp state) => new($"\"{state.Epoch}-{state.Revision}\"");
}
