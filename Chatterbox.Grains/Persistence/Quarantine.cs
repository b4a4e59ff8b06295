using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Chatterbox.Grains.Session;
using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>Why bytes were set aside.</summary>
[GenerateSerializer, Alias("chatterbox.QuarantineKind")]
internal enum QuarantineKind
{
    [JsonStringEnumMemberName("unreadable")] Unreadable = 0,
    [JsonStringEnumMemberName("migrated")] Migrated = 1,
}

/// <param name="Id">The first 16 digits of the bytes' SHA-256: the same bytes are kept once.</param>
internal sealed record QuarantineEntry(string Id, string Slice, QuarantineKind Kind, string Reason, DateTimeOffset At, int Length);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(List<QuarantineEntry>))]
internal sealed partial class QuarantineJson : JsonSerializerContext;

/// <summary>
/// Bytes of a session that must not be overwritten before they are kept elsewhere: rows nobody can read, and originals from
/// before a migration. Each in a row of its own, untouched, with an index beside them.
/// </summary>
internal sealed class Quarantine(IGrainStorage storage, GrainId owner, TimeProvider clock)
{
    private const string IndexName = "quarantine";
    private readonly StoredRow _index = new(storage, owner, IndexName);
    private readonly Turns _changing = new();
    private List<QuarantineEntry>? _entries;

    /// <summary>Keeps the bytes of a row. Returns once they are durable; keeping the same bytes again is fine.</summary>
    public Task KeepAsync(string rowName, byte[] bytes, QuarantineKind kind, string reason) => _changing.RunAsync(async () =>
    {
        var (entries, unreadable) = ReadIndex(await _index.ReadAsync());
        List<QuarantineEntry> added = [await KeepRowAsync(rowName, bytes, kind, reason)];
        // An index nobody can read loses the list, not the bytes: their rows stay where they are, and what is left of the list too.
        if (unreadable is not null) added.Add(await KeepRowAsync(IndexName, unreadable, QuarantineKind.Unreadable, "the list of what is in quarantine"));
        added.RemoveAll(entry => entries.Any(known => known.Id == entry.Id));
        if (added.Count > 0) await WriteIndexAsync([.. entries, .. added]);
    });

    public async Task<IReadOnlyList<QuarantineEntry>> ListAsync() => _entries ??= ReadIndex(await _index.ReadAsync()).Entries;

    /// <summary>Deletes an entry and its bytes. Fails as a whole or can be tried again: the entry goes last.</summary>
    public Task<bool> DropAsync(string id) => _changing.RunAsync(async () =>
    {
        var (entries, _) = ReadIndex(await _index.ReadAsync());
        if (entries.All(entry => entry.Id != id)) return false;
        var row = Row(id);
        if (await row.ReadAsync() is not null) await row.ClearAsync();
        await WriteIndexAsync([.. entries.Where(entry => entry.Id != id)]);
        return true;
    });

    public Task<byte[]?> ReadAsync(string id) => Row(id).ReadAsync();

    private StoredRow Row(string id) => new(storage, owner, $"quarantine-{id}");

    private async Task<QuarantineEntry> KeepRowAsync(string rowName, byte[] bytes, QuarantineKind kind, string reason)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var row = Row(id);
        if (await row.ReadAsync() is not { } kept || !kept.AsSpan().SequenceEqual(bytes)) await row.OverwriteAsync(bytes);
        return new(id, rowName, kind, reason, clock.GetUtcNow(), bytes.Length);
    }

    private async Task WriteIndexAsync(List<QuarantineEntry> entries)
    {
        // Forgotten first: whatever happens to the write, the next reader asks storage.
        _entries = null;
        await _index.OverwriteAsync(SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes(entries, QuarantineJson.Default.ListQuarantineEntry), 1, 1024));
        _entries = entries;
    }

    private static (List<QuarantineEntry> Entries, byte[]? Unreadable) ReadIndex(byte[]? bytes)
    {
        if (bytes is null) return ([], null);
        try
        {
            var entries = JsonSerializer.Deserialize(SliceFrame.Decode(bytes).Body.Span, QuarantineJson.Default.ListQuarantineEntry);
            return entries is null || entries.Contains(null!) ? ([], bytes) : (entries, null);
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            return ([], bytes);
        }
    }
}
