using System.Globalization;
using Chatterbox.Bench;
using Chatterbox.Bench.FanOut;
using Chatterbox.Bench.Hydration;

// dotnet run -c Release --project bench/Chatterbox.Bench -- [storage | hydration | fanout [pushed] | lock | memory | audio]
// [seconds per measurement]
switch (args)
{
    case [SiloChild.Verb, .. var child]:
        await SiloChild.RunAsync(child);
        break;
    case ["fanout", "pushed", .. var rest]:
        await FanOutBench.RunAsync(Seconds(rest), quick: true);
        break;
    case ["lock", .. var rest]:
        await FanOutBench.LockAsync(Seconds(rest));
        break;
    case ["fanout", .. var rest]:
        await FanOutBench.RunAsync(Seconds(rest), quick: false);
        break;
    case ["audio", ..]:
        await AudioBench.RunAsync();
        break;
    case ["memory"]:
        Console.WriteLine(await FanOutBench.MemoryAsync());
        break;
    case ["hydration", .. var rest]:
        await HydrationBench.RunAsync(Seconds(rest));
        break;
    case ["storage", .. var rest]:
        await StorageBench.RunAsync(Seconds(rest));
        break;
    default:
        await StorageBench.RunAsync(Seconds(args));
        break;
}

static TimeSpan Seconds(string[] rest) =>
    TimeSpan.FromSeconds(rest is [var first, ..] ? double.Parse(first, CultureInfo.InvariantCulture) : 4);
