namespace Chatterbox.Grains.Session;

/// <summary>What of a client's request is not allowed.</summary>
internal static class RequestCheck
{
    /// <summary>Another process has attached the client after the one that calls.</summary>
    public static Rejection Superseded { get; } = new("client", "attached by another since", "attached by one process at a time");

    public static Rejection? Of(AttachRequest request, AppDefinition app) =>
        request.Protocol < Protocol.OldestSupported
            ? new("protocol", $"{request.Protocol}",
                $"{Protocol.OldestSupported} to {Protocol.Version} (the client is too old for the silo)")
        : request.Protocol > Protocol.Version
            ? new("protocol", $"{request.Protocol}",
                $"{Protocol.OldestSupported} to {Protocol.Version} (the client is too new for the silo)")
        : Text.CheckId("process", request.Client?.Process) ?? Text.CheckId("client", request.Client?.Client)
            ?? Text.CheckName("device", request.Device)
            ?? (request.App is null || request.App == app.Name
                ? null : Rejection.OfText("app", request.App, $"{app.Name}, whose state this store holds"))
            ?? (request.Slices is null ? null : app.CheckSlices(request.Slices))
            ?? (request.NextSequence >= 1 ? null : new Rejection("nextSequence", $"{request.NextSequence}", "1 or more"));

    public static Rejection? Of(ChangeBatch batch, string? readOnly) =>
        readOnly is not null ? new("session", readOnly, "writable")
        : batch.Changes is not { Count: > 0 and <= Limits.ChangesPerBatch }
            ? new("changes", $"{batch.Changes?.Count ?? 0}", $"1 to {Limits.ChangesPerBatch} per call")
        : !IsGrowing(batch) ? new("changes.sequence", "not", "growing and above 'after'")
        : Text.CheckId("client", batch.Client) ?? (batch.Process is null ? null : Text.CheckId("process", batch.Process));

    private static bool IsGrowing(ChangeBatch batch)
    {
        var last = batch.After;
        return last >= 0
            && batch.Changes.All(change => change.Change is not null && change.Sequence > last && (last = change.Sequence) > 0);
    }
}
