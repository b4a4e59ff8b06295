using System.Text.Json;
using Chatterbox.GatewayTests.Wire;

namespace Chatterbox.GatewayTests.Http;

public sealed class OpenApiTests(SharedHost shared) : IClassFixture<SharedHost>
{
    [Fact(DisplayName = "[W3] the description of the API is the one that is checked in")]
    public async Task Description_is_current()
    {
        using var http = shared.Host.Http(null);
        using var document = JsonDocument.Parse(await http.GetStringAsync("/openapi/v1.json"));
        var text = JsonSerializer.Serialize(document, Indented).ReplaceLineEndings("\n") + "\n";
        Assert.Contains("/api/sessions/{store}/changes", text, StringComparison.Ordinal);
        Pinned.Equal(text, "web/client/openapi.json");
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
}
