using Chatterbox.Bench;

// dotnet run -c Release --project bench/Chatterbox.Bench -- [seconds per measurement]
var seconds = args is [var first, ..] ? double.Parse(first, System.Globalization.CultureInfo.InvariantCulture) : 4;
await StorageBench.RunAsync(TimeSpan.FromSeconds(seconds));
