using System.Net.Http.Json;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests;

internal static class HttpJson
{
    public static async Task<T> GetJsonAsync<T>(this HttpClient http, string path)
    {
        using var reply = await http.GetAsync(path);
        return await reply.JsonAsync<T>();
    }

    public static Task<HttpResponseMessage> PostAsync<T>(this HttpClient http, string path, T body) =>
        http.PostAsync(path, JsonContent.Create(body, PageJson.Of<T>()));

    public static async Task<T> JsonAsync<T>(this HttpResponseMessage reply)
    {
        var text = await reply.Content.ReadAsStringAsync();
        Assert.True(reply.IsSuccessStatusCode, $"{(int)reply.StatusCode}: {text}");
        return System.Text.Json.JsonSerializer.Deserialize(text, PageJson.Of<T>())!;
    }

    public static async Task<Problem> ProblemAsync(this HttpResponseMessage reply)
    {
        Assert.Equal("application/problem+json", reply.Content.Headers.ContentType?.MediaType);
        return (await reply.Content.ReadFromJsonAsync(PageJson.Of<Problem>()))!;
    }
}
