using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
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

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(List<QuarantineEntry>))]
internal sealed partial class QuarantineJson : JsonSerializerContext;

/// <summary>
/// Bytes of a session that must not be overwritten before they are kept elsewhere: rows nobody can read, and originals from
/// before a migration. Each in a row of its own, untouched, with an index beside them.
/// </summary>
internal sealed class Quarantine(IGrainStorage storage, GrainId owner, TimeProvider clock)
{
    private readonly StoredRow _index = new(storage, owner, "quarantine");
    private List<QuarantineEntry>? _entries;

    /// <summary>Keeps the bytes. Returns once they are durable; keeping the same bytes again is fine.</summary>
    public async Task KeepAsync(SliceDefinition slice, byte[] bytes, QuarantineKind kind, string reason)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var row = new StoredRow(storage, owner, RowName(id));
        if (await row.ReadAsync() is null) await row.WriteAsync(bytes);

        var entries = await ListAsync();
        if (entries.Any(entry => entry.Id == id)) return;
        List<QuarantineEntry> with = [.. entries, new(id, slice.Name, kind, reason, clock.GetUtcNow(), bytes.Length)];
        await WriteIndexAsync(with);
    }

    public async Task<IReadOnlyList<QuarantineEntry>> ListAsync()
    {
        if (_entries is not null) return _entries;
        return _entries = ReadIndex(await _index.ReadAsync());
    }

    /// <summary>Deletes an entry and its bytes.</summary>
    public async Task<bool> DropAsync(string id)
    {
        var entries = await ListAsync();
        if (entries.All(entry => entry.Id != id)) return false;
        await WriteIndexAsync([.. entries.Where(entry => entry.Id != id)]);
        var row = new StoredRow(storage, owner, RowName(id));
        if (await row.ReadAsync() is not null) await row.ClearAsync();
        return true;
    }

    public Task<byte[]?> ReadAsync(string id) => new StoredRow(storage, owner, RowName(id)).ReadAsync();

    private static string RowName(string id) => $"quarantine-{id}";

    private async Task WriteIndexAsync(List<QuarantineEntry> entries)
    {
        // Forgotten first: whatever happens to the write, the next reader asks storage.
        _entries = null;
        await _index.ReadAsync();
        await _index.WriteAsync(SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes(entries, QuarantineJson.Default.ListQuarantineEntry), 1, 1024));
        _entries = entries;
    }

    // An index nobody can read loses the list, not the bytes: their rows stay where they are.
    private static List<QuarantineEntry> ReadIndex(byte[]? bytes)
    {
        if (bytes is null) return [];
        try
        {
            return JsonSerializer.Deserialize(SliceFrame.Decode(bytes).Body.Span, QuarantineJson.Default.ListQuarantineEntry) ?? [];
        }
        catch (Exception damage) when (damage is FrameException or JsonException)
        {
            return [];
        }
    }
}
