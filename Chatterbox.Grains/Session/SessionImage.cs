using Chatterbox.Grains.FanOut;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Grains.Session;

/// <summary>
/// All that an activation knows, on its way to another silo, maybe of another version: members are only ever appended, and what
/// is not there has a default.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SessionImage")]
internal sealed record SessionImage
{
    [Id(0)] public LogImage Log { get; init; } = new();
    [Id(1)] public StoreImage Store { get; init; } = new();
    [Id(2)] public ValueList<LeaseImage> Leases { get; init; } = [];

    /// <summary>Something waits to be saved.</summary>
    [Id(3)] public bool IsUnsaved { get; init; }

    [Id(4)] public SaveStatus? Failing { get; init; }
    [Id(5)] public ValueList<ClientWork> Work { get; init; } = [];
    [Id(6)] public ValueList<DoneOperation> Operations { get; init; } = [];
    [Id(7)] public DateTimeOffset? LastSaved { get; init; }
    [Id(8)] public bool LoadAgain { get; init; }
}
