using System.Diagnostics;
using System.Reflection;

namespace Chatterbox.Chaos.Faults;

/// <summary>
/// The programs that a run starts, as built beside this assembly in the same configuration, and what they need of the system.
/// </summary>
internal static class Programs
{
    private const string FakeClock = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

    public static string Self { get; } = Assembly.GetExecutingAssembly().Location;

    public static string Silo { get; } = FindSilo();

    public static bool CanStepClocks => File.Exists(FakeClock);

    /// <summary>Gives a process a wall clock of its own; the monotonic clock stays the machine's.</summary>
    public static void SetClockFile(ProcessStartInfo start, string file)
    {
        if (!CanStepClocks) return;
        start.Environment["LD_PRELOAD"] = FakeClock;
        start.Environment["FAKETIME_TIMESTAMP_FILE"] = file;
        start.Environment["FAKETIME_CACHE_DURATION"] = "1";
        start.Environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        // With it, every timed wait of the runtime returns at once and the process spins.
        start.Environment["FAKETIME_FORCE_MONOTONIC_FIX"] = "0";
    }

    private static string FindSilo()
    {
        var here = new DirectoryInfo(Path.GetDirectoryName(Self)!);
        var root = here;
        while (!File.Exists(Path.Combine(root.FullName, "Chatterbox.Grains.sln"))) root = root.Parent!;
        return Path.Combine(root.FullName, "Chatterbox.Silo", "bin", here.Parent!.Name, here.Name, "Chatterbox.Silo.dll");
    }
}
