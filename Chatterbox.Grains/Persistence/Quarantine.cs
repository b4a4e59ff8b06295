using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <summary>Why bytes were set aside.</summary>
internal enum QuarantineKind
{
    [JsonStringEnumMemberName("unreadable")] Unreadable,
    [JsonStringEnumMemberName("migrated")] Migrated,

    /// <summary>A frame that the database did not take in time, and that is not what followed.</summary>
    [JsonStringEnumMemberName("overtaken")] Overtaken,
}

/// <param name="Id">The first 16 digits of the bytes' SHA-256: the same bytes are kept once.</param>
internal sealed record QuarantineEntry(string Id, string Slice, QuarantineKind Kind, string Reason, DateTimeOffset At, int Length);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(List<QuarantineEntry>))]
internal sealed partial class QuarantineJson : JsonSerializerContext;

/// <summary>
/// Bytes of a session that must not be overwritten before they are kept elsewhere: rows nobody can read, originals from before a
/// migration, and frames that an outage kept from the database until they were overtaken. Each in a row of its own, untouched, with
/// an index beside them. Nothing is remembered between calls: whoever replays a silo's fallback file adds to a session's as well.
/// </summary>
internal sealed class Quarantine(IGrainStorage storage, GrainId owner, TimeProvider clock)
{
    private const int Tries = 5;

    /// <summary>Keeps the bytes. Returns once they are durable; keeping the same bytes again is fine.</summary>
    /// <param name="slice">The row that they are from.</param>
    public async Task KeepAsync(string slice, byte[] bytes, QuarantineKind kind, string reason)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var row = new StoredRow(storage, owner, RowName(id));
        if (await row.ReadAsync() is null) await row.WriteAsync(bytes);

        var entry = new QuarantineEntry(id, slice, kind, reason, clock.GetUtcNow(), bytes.Length);
        await ChangeIndexAsync(entries => entries.Any(each => each.Id == id) ? null : [.. entries, entry]);
    }

    public async Task<IReadOnlyList<QuarantineEntry>> ListAsync() => ReadIndex(await Index().ReadAsync());

    /// <summary>Deletes an entry and its bytes.</summary>
    public async Task<bool> DropAsync(string id)
    {
        if (!await ChangeIndexAsync(entries => entries.All(entry => entry.Id != id) ? null : [.. entries.Where(entry => entry.Id != id)])) return false;
        var row = new StoredRow(storage, owner, RowName(id));
        if (await row.ReadAsync() is not null) await row.ClearAsync();
        return true;
    }

    public Task<byte[]?> ReadAsync(string id) => new StoredRow(storage, owner, RowName(id)).ReadAsync();

    private static string RowName(string id) => $"quarantine-{id}";

    // One for each call: its etag has to be that of what the call has read.
    private StoredRow Index() => new(storage, owner, "quarantine");

    /// <summary>False, and nothing written, where <paramref name="change"/> makes nothing of what is there.</summary>
    private async Task<bool> ChangeIndexAsync(Func<List<QuarantineEntry>, List<QuarantineEntry>?> change)
    {
        for (var attempt = 1; ; attempt++)
        {
            var index = Index();
            if (change(ReadIndex(await index.ReadAsync())) is not { } entries) return false;
            try
            {
                await index.WriteAsync(SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes(entries, QuarantineJson.Default.ListQuarantineEntry), 1, 1024));
                return true;
            }
            catch (InconsistentStateException) when (attempt < Tries)
            {
                // Somebody else's entry came between.
            }
        }
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
