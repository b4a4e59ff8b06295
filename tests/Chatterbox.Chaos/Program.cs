using Chatterbox.Chaos.Clients;
using Chatterbox.Chaos.Faults;
using Chatterbox.Chaos.Ledgers;
using Chatterbox.Chaos.Scenarios;

namespace Chatterbox.Chaos;

/// <summary>
/// <c>tests/chaos.sh</c>, and the client processes of a run. Exit code 0: nothing found; 1: something; 2: it cannot run.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["client", .. var client])
        {
            await ClientProgram.RunAsync(ClientSettings.Parse(client));
            return 0;
        }
        try
        {
            var options = RunOptions.Parse(args);
            if (Sandbox.Missing is { } missing) throw new NotSupportedException(missing);
            return Sandbox.IsInside ? await RunAsync(options) : await Sandbox.RunAsync(options.ToArguments());
        }
        catch (Exception impossible) when (impossible is FormatException or NotSupportedException)
        {
            Console.Error.WriteLine(impossible.Message);
            return 2;
        }
    }

    private static async Task<int> RunAsync(RunOptions options)
    {
        Console.WriteLine($"seed {options.Seed}");
        var folder = Directory.CreateTempSubdirectory("chatterbox-chaos-").FullName;
        var started = Line.Now;
        await Network.CreateAsync();
        var findings = new List<Finding>();
        if (options.Length > TimeSpan.Zero) findings.AddRange(await new RandomFaults(options, Folder("random"), Log).RunAsync());
        if (options.PausedRounds > 0)
        {
            findings.AddRange(await new PausedSilo(options.PausedRounds, Folder("paused"), Log).RunAsync());
        }
        if (options.StaleRounds > 0)
        {
            findings.AddRange(await new StaleActivation(options.StaleRounds, Folder("stale"), Log).RunAsync());
        }

        Console.WriteLine();
        if (findings.Count > 0)
        {
            Console.WriteLine($"FAILED. The silos' logs are in {folder}; the schedule again: --seed {options.Seed}");
        }
        else
        {
            Console.WriteLine("passed");
        }
        if (findings.Count == 0) Directory.Delete(folder, recursive: true);
        return findings.Count == 0 ? 0 : 1;

        string Folder(string scenario) => Directory.CreateDirectory(Path.Combine(folder, scenario)).FullName;

        void Log(string what) => Console.WriteLine($"{(Line.Now - started).TotalSeconds,7:N1}  {what}");
    }
}
