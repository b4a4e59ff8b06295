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

    /// <summary>A frame that the database did not take in time, and that is not what followed.</summary>
    [JsonStringEnumMemberName("overtaken")] Overtaken = 2,
}

/// <param name="Id">The first 16 digits of the bytes' SHA-256: the same bytes are kept once.</param>
internal sealed record QuarantineEntry(string Id, string Slice, QuarantineKind Kind, string Reason, DateTimeOffset At, int Length);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(List<QuarantineEntry>))]
internal sealed partial class QuarantineJson : JsonSerializerContext;

/// <summary>
/// Bytes of a session that must not be overwritten before they are kept elsewhere: rows nobody can read, originals from before a
/// migration, and frames that an outage kept from the database until they were overtaken. Each in a row of its own, untouched, with
/// an index beside them. Nothing is remembered between calls: whoever replays a silo's fallback file adds to a session's as well.
/// </summary>
internal sealed class Quarantine(IGrainStorage storage, GrainId owner, TimeProvider clock)
{
    private const string IndexName = "quarantine";
    private const int Tries = 5;

    /// <summary>Keeps the bytes of a row. Returns once they are durable; keeping the same bytes again is fine.</summary>
    public async Task KeepAsync(string rowName, byte[] bytes, QuarantineKind kind, string reason)
    {
        var kept = await KeepRowAsync(rowName, bytes, kind, reason);
        await ChangeIndexAsync(entries => entries.Any(entry => entry.Id == kept.Id) ? null : [.. entries, kept]);
    }

    public async Task<IReadOnlyList<QuarantineEntry>> ListAsync() => ReadIndex(await Index().ReadAsync()).Entries;

    /// <summary>Deletes an entry and its bytes. Fails as a whole or can be tried again: the entry goes last.</summary>
    public async Task<bool> DropAsync(string id)
    {
        if ((await ListAsync()).All(entry => entry.Id != id)) return false;
        var row = Row(id);
        if (await row.ReadAsync() is not null) await row.ClearAsync();
        await ChangeIndexAsync(entries => entries.All(entry => entry.Id != id) ? null : [.. entries.Where(entry => entry.Id != id)]);
        return true;
    }

    public Task<byte[]?> ReadAsync(string id) => Row(id).ReadAsync();

    private StoredRow Row(string id) => new(storage, owner, $"quarantine-{id}");

    // One for each call: its etag has to be that of what the call has read.
    private StoredRow Index() => new(storage, owner, IndexName);

    private async Task<QuarantineEntry> KeepRowAsync(string rowName, byte[] bytes, QuarantineKind kind, string reason)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var row = Row(id);
        if (await row.ReadAsync() is not { } kept || !kept.AsSpan().SequenceEqual(bytes)) await row.OverwriteAsync(bytes);
        return new(id, rowName, kind, reason, clock.GetUtcNow(), bytes.Length);
    }

    /// <summary>Writes nothing where <paramref name="change"/> makes nothing of what is there.</summary>
    /// <exception cref="IOException">Others keep writing the index.</exception>
    private async Task ChangeIndexAsync(Func<List<QuarantineEntry>, List<QuarantineEntry>?> change)
    {
        for (var attempt = 1; ; attempt++)
        {
            var index = Index();
            var (entries, unreadable) = ReadIndex(await index.ReadAsync());
            // An index nobody can read loses the list, not the bytes: their rows stay where they are, and what is left of the list too.
            if (unreadable is not null) entries.Add(await KeepRowAsync(IndexName, unreadable, QuarantineKind.Unreadable, "the list of what is in quarantine"));
            if (change(entries) is not { } changed) return;
            try
            {
                await index.WriteAsync(SliceFrame.Encode(JsonSerializer.SerializeToUtf8Bytes(changed, QuarantineJson.Default.ListQuarantineEntry), 1, 1024));
                return;
            }
            catch (InconsistentStateException overtaken)
            {
                // Somebody else's entry came between. In the end not with the storage's own exception, which would cost the activation.
                if (attempt == Tries) throw new IOException($"The quarantine of {owner} is being written by others.", overtaken);
            }
        }
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
