namespace Chatterbox.Grains;

/// <summary>What the audio part needs of the rest of the session.</summary>
internal sealed partial class UserSessionGrain
{
    /// <summary>Keeps the state as it is, durably, before something replaces it.</summary>
    private static Task KeepLastGoodAsync(string reason) => Task.CompletedTask;

    /// <summary>Changes of the session's own making, told to every client.</summary>
    private void ApplyOwn(IEnumerable<AppStateChange> changes)
    {
        var from = _log.Revision;
        var taken = changes.Select(_log.ApplyOwn).OfType<AppliedChange>().ToValueList();
        if (taken.Count == 0) return;
        _writer.Changed();
        _feed.Publish(_log.Epoch, new ChangesApplied(from, _log.Revision, taken));
    }
}
