using Chatterbox.Client;
using Chatterbox.Silo.Settings;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>Export and import as streams: memory does not grow with the audio.</summary>
internal static class BackupApi
{
    private const int BufferBytes = 64 * 1024;

    public static void Map(RouteGroupBuilder sessions)
    {
        sessions.MapGet("/export", ExportAsync).WithSummary("The session as one JSON document, with its audio.")
            .Produces<object>().RequireRateLimiting(GatewayExtensions.Large);
        sessions.MapPost("/import", ImportAsync).WithSummary("Replaces the session by a document, all or nothing.")
            .Accepts<object>("application/json").WithMetadata(new BodyLimit(long.MaxValue))
            .RequireRateLimiting(GatewayExtensions.Large);
    }

    private static async Task ExportAsync(
        [AsParameters] SessionRequest of, ChatterboxClient client, [FromQuery] bool audio = true)
    {
        var aborted = of.Http.RequestAborted;
        await using var store = await OpenAsync(of, client);
        of.Http.Response.ContentType = "application/json";
        of.Http.Response.Headers.ContentDisposition = $"attachment; filename=\"{of.Store}.json\"";
        await using var output = new DrainedStream(of.Http.Response.Body);
        await store.Backup.ExportAsync(output, audio, progress: null, aborted);
        await output.FlushAsync(aborted);
    }

    private static Task<AppStore> OpenAsync(SessionRequest of, ChatterboxClient client) => client.OpenUntypedAsync(
        of.Id, of.Http.RequestServices.GetRequiredService<ServedStores>().AppOf(of.Store), of.Http.RequestAborted);

    // The document is read twice, so it is put aside first.
    private static async Task<Ok<ImportReport>> ImportAsync(
        [AsParameters] SessionRequest of, ChatterboxClient client, SiloSettings settings,
        [FromQuery] bool dryRun = false, [FromQuery] bool strict = false)
    {
        var aborted = of.Http.RequestAborted;
        if (of.Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = settings.Web.ImportBytes;
        await using var document = new FileStream(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), FileMode.CreateNew,
            FileAccess.ReadWrite, FileShare.None, BufferBytes, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
        await of.Http.Request.Body.CopyToAsync(document, aborted);
        document.Position = 0;
        await using var store = await OpenAsync(of, client);
        return TypedResults.Ok(await store.Backup.ImportAsync(document, dryRun, strict, progress: null, aborted));
    }
}
