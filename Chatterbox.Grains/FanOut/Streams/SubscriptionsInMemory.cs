using Orleans.Storage;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// Storage of Orleans' stream subscriptions: none, they exist only in their activation's memory. Client processes check their
/// subscription regularly; those of ended processes disappear with the idle activation.
/// </summary>
internal sealed class SubscriptionsInMemory : IGrainStorage
{
    /// <summary>The name under which Orleans looks for this storage.</summary>
    public const string Name = "PubSubStore";

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.State = Activator.CreateInstance<T>();
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.CompletedTask;

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState);
}
