using Chatterbox.Grains;
using Chatterbox.Grains.Persistence;

namespace Chatterbox.Silo.Operations;

/// <summary>The last log line of a silo: what became of its sessions, and what is not in the database.</summary>
internal static partial class DrainLine
{
    public static void LogWhenStopped(WebApplication app)
    {
        // Taken now: services cannot be asked for once the host has stopped.
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Chatterbox.Silo");
        var report = app.Services.GetRequiredService<DrainReport>();
        var storage = app.Services.GetService<IStorageStatus>();
        app.Lifetime.ApplicationStopped.Register(() =>
        {
            var level = report.Unsaved > 0 || storage?.PendingFrames > 0 ? LogLevel.Warning : LogLevel.Information;
            LogStopped(logger, level, report.Moved, report.Saved, report.Unsaved, storage?.PendingFrames ?? 0);
        });
    }

    [LoggerMessage(Message = "The silo has stopped. Sessions: {Moved} moved to other silos, {Saved} saved, {Unsaved} not saved. "
        + "{Pending} row(s) are in the fallback file only.")]
    private static partial void LogStopped(ILogger logger, LogLevel level, int moved, int saved, int unsaved, int pending);
}
