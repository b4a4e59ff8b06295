using Chatterbox.Grains.Persistence;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Hosting;

namespace Chatterbox.Grains;

public static class ChatterboxSiloExtensions
{
    // Memory streams look for new events this often. Short enough to feel instant, long enough to leave an idle silo idle.
    private static readonly TimeSpan StreamPollPeriod = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Adds the session and audio grains and the streams to their clients. The host adds a grain storage named
    /// <see cref="ChatterboxStorage.Name"/>.
    /// </summary>
    public static ISiloBuilder AddChatterboxGrains(this ISiloBuilder silo)
    {
        silo.Services.AddOptions<ChatterboxOptions>().ValidateDataAnnotations().ValidateOnStart();
        silo.Services.AddSingleton<IValidateOptions<ChatterboxOptions>, NoContradiction>();
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(PersistConfig.AppState);
        silo.Services.AddSingleton<PersistConfigs>();
        silo.Services.AddSingleton<ISliceMigration, DefaultEngineAndParameters>();
        silo.Services.AddSingleton<MigrationChain>();
        return silo
            .AddMemoryGrainStorage("PubSubStore")
            .AddMemoryStreams(ChatterboxStreams.Provider, streams => streams.ConfigurePullingAgent(agent =>
                agent.Configure(pulling => pulling.GetQueueMsgsTimerPeriod = StreamPollPeriod)));
    }

    private sealed class NoContradiction : IValidateOptions<ChatterboxOptions>
    {
        public ValidateOptionsResult Validate(string? name, ChatterboxOptions options) =>
            options.Contradiction is { } wrong ? ValidateOptionsResult.Fail(wrong) : ValidateOptionsResult.Success;
    }
}
