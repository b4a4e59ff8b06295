using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage.Fallback;
using Chatterbox.Silo.Storage.GroupCommit;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.Storage;

namespace Chatterbox.Silo.Storage;

public static class ChatterboxStorageExtensions
{
    /// <summary>
    /// Adds the grain storage <see cref="ChatterboxStorage.Name"/> on the database of <paramref name="options"/>, whose schema
    /// <see cref="DatabaseSchema.Migrate"/> has made, with a fallback file if the options name one.
    /// </summary>
    public static ISiloBuilder AddChatterboxStorage(this ISiloBuilder silo, DatabaseOptions options)
    {
        options.Resolve();
        return silo.ConfigureServices(services =>
        {
            services.AddSingleton<IStoredRows>(provider =>
                new DatabaseRows(options, provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId));
            if (options.HasFallback)
            {
                services.AddSingleton(provider => WithFallback(provider, Writer(provider, ChatterboxStorage.Name, options), options));
                services.AddSingleton<IStorageStatus>(provider => provider.GetRequiredService<FallbackGrainStorage>());
                services.AddGrainStorage(ChatterboxStorage.Name, (provider, _) => provider.GetRequiredService<FallbackGrainStorage>());
            }
            else if (options.Writer is StorageWriter.GroupCommit)
            {
                services.AddGrainStorage(ChatterboxStorage.Name, (provider, name) => GroupCommit(provider, name, options));
            }
            else
            {
                services.AddGrainStorage(ChatterboxStorage.Name, (provider, name) => Stock(provider, name, options));
            }
        });
    }

    private static IGrainStorage Writer(IServiceProvider provider, string name, DatabaseOptions options) =>
        options.Writer is StorageWriter.GroupCommit ? GroupCommit(provider, name, options) : Stock(provider, name, options);

    private static FallbackGrainStorage WithFallback(IServiceProvider provider, IGrainStorage primary, DatabaseOptions options)
    {
        // Never opened: it only tells the failures of this database apart.
        var store = DatabaseDialect.Of(options.Provider).CreateRowStore(options, "", TimeProvider.System);
        return ActivatorUtilities.CreateInstance<FallbackGrainStorage>(
            provider, primary, (Func<Exception, bool>)IsAway, new FallbackFile(options.Fallback, TimeProvider.System), TimeProvider.System);

        // Disposed: the silo stops, and what comes this late is for its next start.
        bool IsAway(Exception failure) =>
            failure is WriteOutcomeUnknownException or ObjectDisposedException || store.Classify(failure) is BatchFailure.Unavailable or BatchFailure.Unknown;
    }

    private static GroupCommitGrainStorage GroupCommit(IServiceProvider provider, string name, DatabaseOptions options) =>
        ActivatorUtilities.CreateInstance<GroupCommitGrainStorage>(
            provider, name, provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId, options, TimeProvider.System);

    private static AdoNetGrainStorage Stock(IServiceProvider provider, string name, DatabaseOptions options)
    {
        var storage = new AdoNetGrainStorageOptions
        {
            Invariant = DatabaseDialect.Of(options.Provider).Invariant,
            ConnectionString = options.ConnectionString,
            GrainStorageSerializer = new StoredFrameSerializer(),
            HashPicker = new StorageHasherPicker([new OrleansDefaultHasher()]),
            // A cleared row stays as a version without a payload. A writer that still holds an older etag, be it a stale
            // activation or a replay, then meets a conflict; were the row gone, its "first" write would bring the state back.
            DeleteStateOnClear = false,
        };
        return ActivatorUtilities.CreateInstance<AdoNetGrainStorage>(
            provider, Options.Create(storage), provider.GetRequiredService<IOptions<ClusterOptions>>(), name);
    }
}
