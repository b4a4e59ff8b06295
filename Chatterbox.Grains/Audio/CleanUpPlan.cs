namespace Chatterbox.Grains.Audio;

/// <summary>What a session drops to be within its quota.</summary>
/// <param name="Changes">The changes that drop it.</param>
/// <param name="Bytes">The bytes freed.</param>
/// <param name="Cleaned">The groups of items that lose audio, oldest first.</param>
/// <param name="LooseItems">Items in no group that lose audio.</param>
internal sealed record CleanUpPlan(
    IReadOnlyList<SessionChange> Changes, long Bytes, ValueList<CleanedWorkSession> Cleaned, ValueList<string> LooseItems)
{
    public static CleanUpPlan Nothing { get; } = new([], 0, [], []);
}
