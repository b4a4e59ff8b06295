namespace Chatterbox.Silo.Gateway.Wire;

// The bodies of /api that are not the session's own contracts.

/// <summary>A session as it stands. Slices that were not asked for are as in a new session.</summary>
internal sealed record SnapshotAnswer(long Epoch, long Revision, long DurableRevision, SessionState State);

/// <summary>Applies changes as Apply does, of any size that is allowed. The client is attached on the hub.</summary>
/// <param name="After">The sequence sent before the first of these; 0 for none.</param>
internal sealed record ChangesCall(string Client, long Epoch, long After, ValueList<SequencedChange> Changes);

/// <summary>Begins an upload, or resumes one.</summary>
/// <param name="Store">The store that will refer to the clip, and whose quota it counts against.</param>
/// <param name="Length">Bytes.</param>
internal sealed record UploadCall(string Store, long Length, string MediaType);

/// <summary>What is left to send.</summary>
/// <param name="PieceBytes">All pieces but the last have this length.</param>
/// <param name="Missing">The pieces to be sent.</param>
/// <param name="Audio">Set when the clip is stored: nothing is to be sent.</param>
internal sealed record UploadAnswer(int PieceBytes, ValueList<int> Missing, AudioRef? Audio = null);

/// <summary>An error, as RFC 9457 has it.</summary>
/// <param name="Field">The input that was refused.</param>
/// <param name="Value">What it was.</param>
/// <param name="Allowed">What it may be.</param>
internal sealed record Problem(
    string Title, int Status, string? Detail = null, string? Field = null, string? Value = null, string? Allowed = null);

/// <summary>Asks for a token in development.</summary>
/// <param name="Seconds">How long it is valid: 1 to 3600, by default 900.</param>
internal sealed record DevTokenCall(string User, int? Seconds = null);

internal sealed record DevTokenAnswer(string Token, DateTimeOffset ExpiresAt);
