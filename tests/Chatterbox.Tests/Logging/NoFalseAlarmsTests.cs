using Chatterbox.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chatterbox.Tests.Logging;

/// <summary>What a silo leaves out of its log, through the logging that it uses.</summary>
public sealed partial class NoFalseAlarmsTests
{
    private const string Watchdog = "Orleans.Runtime.Watchdog";

    private static readonly TimeSpan LongerThanAnyProcess = TimeSpan.FromDays(3650);

    [Fact(DisplayName = "[D3] a silence longer than the process has run is no alarm of the watchdog's; every other is logged")]
    public void Only_what_cannot_be()
    {
        var logged = new List<string>();
        using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(new Lines(logged)).AddSampler<NoFalseAlarms>())
            .BuildServiceProvider();
        var loggers = services.GetRequiredService<ILoggerFactory>();

        var (watchdog, other) = (loggers.CreateLogger(Watchdog), loggers.CreateLogger("Orleans.Runtime.Silo"));

        LogSilent(watchdog, LongerThanAnyProcess);
        LogSilent(watchdog, TimeSpan.FromTicks(1));
        LogSilent(other, LongerThanAnyProcess);
        LogNoTime(watchdog);

        Assert.Equal(["silent for 00:00:00.0000001", $"silent for {LongerThanAnyProcess}", "nothing of time"], logged);
    }

    [LoggerMessage(LogLevel.Warning, "silent for {Silent}")]
    private static partial void LogSilent(ILogger logger, TimeSpan silent);

    [LoggerMessage(LogLevel.Warning, "nothing of time")]
    private static partial void LogNoTime(ILogger logger);

    private sealed class Lines(List<string> logged) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            logged.Add(formatter(state, exception));

        public void Dispose() { }
    }
}
