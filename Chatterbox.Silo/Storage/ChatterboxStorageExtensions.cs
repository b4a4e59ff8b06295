using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Storage.Fallback;
using Chatterbox.Silo.Storage.GroupCommit;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Providers;
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
            services.AddSingleton(options);
            services.AddSingleton<IStoredRows>(provider => new DatabaseRows(options, ServiceId(provider)));
            if (options.HasFallback)
            {
                services.AddSingleton(provider =>
                    WithFallback(provider, Writer(provider, ChatterboxStorage.Name, options), options));
                services.AddSingleton<IStorageStatus>(provider => provider.GetRequiredService<FallbackGrainStorage>());
                services.AddGrainStorage(ChatterboxStorage.Name, (provider, _) =>
                    provider.GetRequiredService<FallbackGrainStorage>());
            }
            else if (options.Writer is StorageWriter.GroupCommit)
            {
                // By its own type: Orleans starts a storage whose type takes part in the silo's lifecycle.
                services.AddGrainStorage(ChatterboxStorage.Name, (provider, name) => GroupCommit(provider, name, options));
            }
            else
            {
                services.AddGrainStorage(ChatterboxStorage.Name, (provider, name) => Stock(provider, name, options));
            }
        });
    }

    /// <summary>
    /// Adds a grain storage for grains of any state, with group commit: a drop-in for Orleans' ADO.NET provider on the same
    /// tables, rows
    /// and etags. It has no fallback file.
    /// </summary>
    public static ISiloBuilder AddChatterboxGrainStorage(
        this ISiloBuilder silo, string name, Action<ChatterboxGrainStorageOptions>? configure = null)
    {
        var options = new ChatterboxGrainStorageOptions();
        configure?.Invoke(options);
        options.Database?.Resolve();
        return silo.ConfigureServices(services =>
            services.AddGrainStorage(name, (provider, _) => ForAnyState(provider, name, options)));
    }

    /// <summary><see cref="AddChatterboxGrainStorage"/> for states that name no storage.</summary>
    public static ISiloBuilder AddChatterboxGrainStorageAsDefault(
        this ISiloBuilder silo, Action<ChatterboxGrainStorageOptions>? configure = null) =>
        silo.AddChatterboxGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, configure);

    private static GroupCommitGrainStorage ForAnyState(
        IServiceProvider provider, string name, ChatterboxGrainStorageOptions options)
    {
        var database = options.Database ?? provider.GetService<DatabaseOptions>() ?? throw new InvalidOperationException(
            $"The grain storage '{name}' has no database: set {nameof(ChatterboxGrainStorageOptions.Database)}, or add "
            + "Chatterbox's own storage first.");
        var serializer = options.GrainStorageSerializer
            ?? provider.GetKeyedService<IGrainStorageSerializer>(name)
            ?? provider.GetRequiredService<IGrainStorageSerializer>();
        return GroupCommit(provider, name, database, serializer,
            options.DeleteStateOnClear ? Stock(provider, name, database, serializer, true) : null);
    }

    private static IGrainStorage Writer(IServiceProvider provider, string name, DatabaseOptions options) =>
        options.Writer is StorageWriter.GroupCommit ? GroupCommit(provider, name, options) : Stock(provider, name, options);

    private static FallbackGrainStorage WithFallback(IServiceProvider provider, IGrainStorage primary, DatabaseOptions options)
    {
        var clock = Clock(provider);
        var failures = new DatabaseFailures(DatabaseDialect.Of(options.Provider));
        var service = ServiceId(provider);
        var session = provider.GetRequiredService<IOptions<ChatterboxOptions>>().Value;
        return new(primary, () => failures.ReadAsync(() => FallbackOwner.ReadAsync(options, service)),
            new FallbackFile(options.Fallback, clock, options.FallbackBytes), HistoryRetention.Of(session), clock,
            provider.GetRequiredService<ILogger<FallbackGrainStorage>>());
    }

    private static GroupCommitGrainStorage GroupCommit(
        IServiceProvider provider, string name, DatabaseOptions options, IGrainStorageSerializer? serializer = null,
        StockGrainStorage? stock = null) =>
        new(name, ServiceId(provider), options, serializer ?? new StoredFrameSerializer(), stock,
            provider.GetRequiredService<Orleans.Serialization.Serializers.IActivatorProvider>(), Clock(provider),
            provider.GetRequiredService<ILogger<GroupCommitGrainStorage>>());

    private static StockGrainStorage Stock(
        IServiceProvider provider, string name, DatabaseOptions options, IGrainStorageSerializer? serializer = null,
        bool deleteOnClear = false)
    {
        var dialect = DatabaseDialect.Of(options.Provider);
        var storage = new AdoNetGrainStorageOptions
        {
            Invariant = dialect.Invariant,
            ConnectionString = options.ConnectionString,
            GrainStorageSerializer = serializer ?? new StoredFrameSerializer(),
            HashPicker = new StorageHasherPicker([new OrleansDefaultHasher()]),
            // By default a cleared row stays as a version without a payload. A writer that still holds an older etag, be it a
            // stale
            // activation or a replay, then meets a conflict; were the row gone, its "first" write would restore the state.
            DeleteStateOnClear = deleteOnClear,
        };
        var stock = ActivatorUtilities.CreateInstance<AdoNetGrainStorage>(
            provider, Options.Create(storage), provider.GetRequiredService<IOptions<ClusterOptions>>(), name);
        return new(stock, new DatabaseFailures(dialect), dialect.WatchFiles(options.ConnectionString));
    }

    private static string ServiceId(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId;

    private static TimeProvider Clock(IServiceProvider provider) => provider.GetService<TimeProvider>() ?? TimeProvider.System;
}
