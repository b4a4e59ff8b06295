using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;
using Chatterbox.Silo.Settings;
using Chatterbox.Silo.Storage;

namespace Chatterbox.Silo;

/// <summary>Tries this build against a database that another one may be serving: reads only, starts no silo.</summary>
internal static class SessionChecking
{
    /// <summary>Makes the silo's program look whether every stored session would load, print what it found, and end.</summary>
    public const string Argument = "--check-sessions";

    /// <summary>With <see cref="Argument"/>: prints it as JSON.</summary>
    public const string JsonArgument = "--json";

    /// <summary>Not every stored session would load. The same as 'chatterbox migrate --check' ends with.</summary>
    private const int NotAllWouldLoad = 4;

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(
        SiloSettings settings, bool json, TextWriter output, TextWriter progress, CancellationToken cancellationToken)
    {
        await using var services = new ServiceCollection()
            .AddChatterboxSchema(settings.Session)
            .AddSingleton<IStoredRows>(new DatabaseRows(settings.Database.Resolve(), settings.Cluster.ServiceId))
            .BuildServiceProvider();
        var check = await services.GetRequiredService<SessionInspector>().CheckAllAsync(new Percent(progress), cancellationToken);
        foreach (var line in json ? [check.ToJson()] : check.Describe()) await output.WriteLineAsync(line);
        return check.AllWouldLoad ? 0 : NotAllWouldLoad;
    }

    // Where it runs, standard error is a log: a line now and then.
    private sealed class Percent(TextWriter log) : IProgress<double>
    {
        private const int Step = 10;
        private int _told;

        public void Report(double value)
        {
            var percent = (int)(value * 100);
            if (percent < _told + Step) return;
            _told = percent - percent % Step;
            log.WriteLine($"looked through {_told} %");
        }
    }
}
