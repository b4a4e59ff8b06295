using Orleans.Storage;

namespace Chatterbox.Grains.FanOut.Streams;

/// <summary>
/// Where Orleans keeps who is subscribed to which stream: nowhere but in the activation that knows. A client process looks now
/// and then whether it is still subscribed; subscriptions of processes that are gone vanish with the idle activation.
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
