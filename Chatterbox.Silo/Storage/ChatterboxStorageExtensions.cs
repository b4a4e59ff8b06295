using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage.GroupCommit;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;

namespace Chatterbox.Silo.Storage;

public static class ChatterboxStorageExtensions
{
    /// <summary>
    /// Adds the grain storage <see cref="ChatterboxStorage.Name"/> on the database of <paramref name="options"/>, whose schema
    /// <see cref="DatabaseSchema.Migrate"/> has made.
    /// </summary>
    public static ISiloBuilder AddChatterboxStorage(this ISiloBuilder silo, DatabaseOptions options)
    {
        var dialect = DatabaseDialect.Of(options.Provider);
        var connectionString = options.Resolve().ConnectionString;
        if (options.Writer is StorageWriter.GroupCommit)
            return silo.ConfigureServices(services => services.AddGrainStorage(ChatterboxStorage.Name, (provider, name) =>
                ActivatorUtilities.CreateInstance<GroupCommitGrainStorage>(
                    provider, name, provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId, options, TimeProvider.System)));
        return silo.AddAdoNetGrainStorage(ChatterboxStorage.Name, storage =>
        {
            storage.Invariant = dialect.Invariant;
            storage.ConnectionString = connectionString;
            storage.GrainStorageSerializer = new StoredFrameSerializer();
            // A cleared row stays as a version without a payload. A writer that still holds an older etag, be it a stale
            // activation or a replay, then meets a conflict; were the row gone, its "first" write would bring the state back.
            storage.DeleteStateOnClear = false;
        });
    }
}
