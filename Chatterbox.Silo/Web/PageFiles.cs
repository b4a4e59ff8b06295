using System.Collections.Frozen;
using Chatterbox.Silo.Settings;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Chatterbox.Silo.Web;

/// <summary>The page at <c>/</c>. Its files are those of one build; the names of its assets have their hashes.</summary>
internal static class PageFiles
{
    public const string AssetsPath = "/assets/{name}";

    private const string Assets = "assets";
    private const string NoCache = "no-cache";
    private const string Immutable = "public, max-age=31536000, immutable";

    private static readonly FileExtensionContentTypeProvider Types = new();

    private const string Absent = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark">
        <title>Chatterbox</title>
        <h1>Chatterbox</h1>
        <p>The silo runs. This build has no page: Node was not installed when the silo was built.</p>
        <p>Install Node 20.19 or newer, then run <code>dotnet run --project Chatterbox.Silo</code> again, or build the page:
        <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build --workspace app</code>.</p>
        <p><a href="openapi/v1.json">The HTTP API</a> · <a href="health/ready">Health</a></p>
        </html>
        """;

    public static void MapChatterboxPage(this IEndpointRouteBuilder endpoints, WebOptions web)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, web.Page);
        var index = Path.Combine(folder, "index.html");
        // Only what is there at the start: no path of a request is ever made a path of a file.
        var assets = Directory.Exists(Path.Combine(folder, Assets))
            ? Directory.EnumerateFiles(Path.Combine(folder, Assets))
                .ToFrozenDictionary(file => Path.GetFileName(file), StringComparer.Ordinal)
            : FrozenDictionary<string, string>.Empty;
        var isThere = File.Exists(index);
        endpoints.MapMethods("/", [HttpMethods.Get, HttpMethods.Head],
            Results<PhysicalFileHttpResult, ContentHttpResult> (HttpContext http) => isThere
                ? Send(http, index, NoCache)
                : TypedResults.Content(Absent, "text/html; charset=utf-8")).AllowAnonymous().ExcludeFromDescription();
        endpoints.MapMethods(AssetsPath, [HttpMethods.Get, HttpMethods.Head],
            Results<PhysicalFileHttpResult, NotFound> (HttpContext http, string name) =>
                assets.TryGetValue(name, out var file) ? Send(http, file, Immutable) : TypedResults.NotFound())
            .AllowAnonymous().ExcludeFromDescription();
    }

    private static PhysicalFileHttpResult Send(HttpContext http, string file, string caching)
    {
        http.Response.Headers[HeaderNames.CacheControl] = caching;
        var written = File.GetLastWriteTimeUtc(file);
        return TypedResults.PhysicalFile(file, TypeOf(file), lastModified: written,
            entityTag: new EntityTagHeaderValue($"\"{written.Ticks:x}\""));
    }

    private static string TypeOf(string file) => Types.TryGetContentType(file, out var type) ? type : "application/octet-stream";
}
