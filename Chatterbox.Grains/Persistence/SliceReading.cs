using Chatterbox.Grains.Session;

namespace Chatterbox.Grains.Persistence;

/// <summary>
/// The result of reading a stored row, shared by loading it and by checking whether it would load.
/// </summary>
/// <param name="Version">The schema version in the row; null when it is unknown, or the row holds no state.</param>
/// <param name="Outcome">Null when the row is valid.</param>
/// <param name="Reason">A short reason, equal for similar rows.</param>
/// <param name="Problem">The exact problem.</param>
internal sealed record SliceReading(SliceEnvelope Envelope, int? Version, CheckOutcome? Outcome = null, string Reason = "",
    string Problem = "")
{
    private static readonly SliceEnvelope Nothing = new(0, AppliedMap.Empty, null);

    public static SliceReading Of(GrainId owner, SliceDefinition slice, byte[] row, MigrationChain migrations)
    {
        int? version = null;
        try
        {
            return SliceFrame.Read(row, (stored, body) =>
            {
                version = stored;
                if (stored > migrations.CurrentVersion) return OfNewer(owner, slice, stored, body, migrations);

                var envelope = SliceEnvelope.Decode(owner, slice, stored, body, migrations);
                return envelope.Value is null ? new(envelope, null)
                    : stored == migrations.CurrentVersion ? new(envelope, stored)
                    : new SliceReading(envelope, stored, CheckOutcome.Migrate,
                        $"from version {stored} to {migrations.CurrentVersion}");
            });
        }
        catch (Exception damage) when (SessionStore.IsDamage(damage))
        {
            var reason = damage switch
            {
                FrameException => "its frame is damaged",
                MigrationException => $"its migration from version {version} failed",
                _ => "its content is not that of the slice",
            };
            return new(Nothing, version, CheckOutcome.Unreadable, reason, damage.Message);
        }
    }

    /// <summary>A row that the store's app does not have: left by a store of another app.</summary>
    public static SliceReading OfOtherApp(string app) =>
        new(Nothing, null, CheckOutcome.Unreadable, "it is no row of the store's app", $"the app {app} has no such slice");

    // Decoded as far as this build understands it.
    private static SliceReading OfNewer(GrainId owner, SliceDefinition slice, int version, ReadOnlySpan<byte> body,
        MigrationChain migrations)
    {
        var known = $"this build knows {migrations.CurrentVersion}";
        try
        {
            return new(SliceEnvelope.Decode(owner, slice, migrations.CurrentVersion, body, migrations), version,
                CheckOutcome.Newer, $"stored with version {version}", known);
        }
        catch (Exception unknown) when (SessionStore.IsDamage(unknown))
        {
            return new(Nothing, version, CheckOutcome.Newer, $"stored with version {version}", known);
        }
    }
}
