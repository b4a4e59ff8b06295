using System.Diagnostics;

namespace Chatterbox.Chaos.Faults;

/// <summary>Runs the system's own programs.</summary>
internal static class Shell
{
    public static string? Find(string program) => $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find(program) ?? program, arguments) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors}");
    }

    /// <summary>Sends a signal to processes; one that has ended meanwhile is no error.</summary>
    public static async Task SignalAsync(string signal, params int[] processes)
    {
        foreach (var process in processes)
        {
            try
            {
                await RunAsync("kill", $"-{signal}", $"{process}");
            }
            catch (InvalidOperationException)
            {
                // Ended.
            }
        }
    }

    /// <summary>The processes that a process has started.</summary>
    public static int[] ChildrenOf(int process) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
            .Where(id => id > 0 && ParentOf(id) == process),
    ];

    private static int ParentOf(int process)
    {
        try
        {
            // "pid (name) state parent": the name may hold blanks.
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], null);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
