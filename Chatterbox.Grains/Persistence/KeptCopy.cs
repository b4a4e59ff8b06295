using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Chatterbox.Grains.Persistence;

/// <param name="Reason">What it was kept for: its age, or what was about to happen.</param>
internal sealed record Copy(string Reason, DateTimeOffset At, long Revision, AppState State);

/// <summary>
/// A copy of all of a session's slices in a row of its own, for coming back to: one is renewed daily, one is made before something
/// replaces the state. Of the schema's version, and migrated like the slices themselves.
/// </summary>
internal sealed partial class KeptCopy(
    IGrainStorage storage, GrainId owner, string name, MigrationChain migrations, Quarantine quarantine, TimeProvider clock, ILogger logger)
{
    private readonly StoredRow _row = new(storage, owner, name);
    private bool _isRead;
    private Unpreserved? _unreadable;

    private string Of => SliceEnvelope.NameOf(owner, name);

    /// <summary>When the stored copy was made; null when there is none, or it has not been read yet.</summary>
    public DateTimeOffset? At { get; private set; }

    /// <summary>Replaces the copy. Returns once it is durable.</summary>
    public async Task KeepAsync(AppState state, long revision, string reason)
    {
        if (!_isRead) await ReadAsync();
        if (_unreadable is var (bytes, kind, why)) await quarantine.KeepAsync(name, bytes, kind, why);
        var at = clock.GetUtcNow();
        await _row.OverwriteAsync(Encode(new(reason, at, revision, state)));
        (At, _unreadable) = (at, null);
    }

    /// <summary>The copy, or null when there is none that can be read.</summary>
    public async Task<Copy?> ReadAsync()
    {
        var bytes = await _row.ReadAsync();
        (_isRead, _unreadable, At) = (true, null, null);
        try
        {
            var copy = bytes is null ? null : Decode(bytes);
            At = copy?.At;
            return copy;
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            LogUnreadable(owner, name, damage.Message);
            _unreadable = new(bytes!, QuarantineKind.Unreadable, damage.Message);
            return null;
        }
    }

    private byte[] Encode(Copy copy)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("of", Of);
            writer.WriteString("reason", copy.Reason);
            writer.WriteString("at", copy.At);
            writer.WriteNumber("revision", copy.Revision);
            writer.WriteStartObject("state");
            foreach (var slice in SliceDefinition.All)
            {
                writer.WritePropertyName(slice.Name);
                slice.Write(writer, slice.Get(copy.State));
            }
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return SliceFrame.Encode(buffer.WrittenSpan, migrations.CurrentVersion, compressionThreshold: 0);
    }

    private Copy Decode(byte[] bytes)
    {
        var (version, body) = SliceFrame.Decode(bytes);
        if (JsonNode.Parse(body.Span) is not JsonObject copy || copy["state"] is not JsonObject slices || copy["at"] is null || copy["revision"] is null)
        {
            throw new JsonException("It is no copy of a session.");
        }
        SliceEnvelope.CheckOf((string?)copy["of"], Of);
        var state = SliceDefinition.All.Where(slice => slices[slice.Name] is not null)
            .Aggregate(AppState.Initial, (sum, slice) => slice.With(sum, slice.Read(migrations.Migrate(slice.Slice, slices[slice.Name], version))));
        return new((string?)copy["reason"] ?? "", (DateTimeOffset)copy["at"]!, (long)copy["revision"]!, state);
    }

    [LoggerMessage(LogLevel.Warning, "The copy {Name} of {Session} cannot be read: {Reason}")]
    private partial void LogUnreadable(GrainId session, string name, string reason);
}
