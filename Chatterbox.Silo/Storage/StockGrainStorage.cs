using Orleans.Storage;

namespace Chatterbox.Silo.Storage;

/// <summary>Orleans' own ADO.NET provider, whose failures are the product's exceptions instead of the driver's.</summary>
/// <param name="checkFiles">Throws a driver's exception where the database's files are gone; null where they are a
/// server's.</param>
internal sealed class StockGrainStorage(AdoNetGrainStorage stock, DatabaseFailures failures, Action? checkFiles)
    : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle lifecycle) => stock.Participate(lifecycle);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task ReadStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        failures.ReadAsync(async () =>
        {
            checkFiles?.Invoke();
            await stock.ReadStateAsync(stateName, grainId, grainState, cancellationToken);
            return true;
        });

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task WriteStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        failures.WriteAsync(async () =>
        {
            await stock.WriteStateAsync(stateName, grainId, grainState, cancellationToken);
            checkFiles?.Invoke();
        });

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    public Task ClearStateAsync<T>(
        string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        failures.WriteAsync(async () =>
        {
            await stock.ClearStateAsync(stateName, grainId, grainState, cancellationToken);
            checkFiles?.Invoke();
        });
}
