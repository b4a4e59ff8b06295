using System.Globalization;

namespace Chatterbox.Chaos;

/// <summary>What to run, and for how long.</summary>
/// <param name="Length">Of the random faults; none are done when it is zero.</param>
/// <param name="LongestFault">How long a pause or cut lasts at most.</param>
/// <param name="PausedRounds">How often the scenario of a paused silo with an unsaved change is run.</param>
/// <param name="StaleRounds">How often the scenario of a stale activation is run.</param>
internal sealed record RunOptions(TimeSpan Length, TimeSpan LongestFault, int PausedRounds, int StaleRounds, int Seed)
{
    public const string Usage = "chaos.sh [--minutes N] [--longest SECONDS] [--paused ROUNDS] [--stale ROUNDS] [--seed S]";

    public static RunOptions Default { get; } =
        new(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(40), 10, 5, Random.Shared.Next());

    public IEnumerable<string> ToArguments() =>
    [
        "--minutes", Length.TotalMinutes.ToString(CultureInfo.InvariantCulture),
        "--longest", LongestFault.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        "--paused", $"{PausedRounds}", "--stale", $"{StaleRounds}", "--seed", $"{Seed}",
    ];

    /// <exception cref="FormatException">An argument is unknown or not a number.</exception>
    public static RunOptions Parse(string[] arguments)
    {
        var options = Default;
        foreach (var pair in arguments.Chunk(2))
        {
            var value = pair.Length == 2
                ? double.Parse(pair[1], CultureInfo.InvariantCulture)
                : throw new FormatException($"{pair[0]}: a number is missing");
            options = pair[0] switch
            {
                "--minutes" => options with { Length = TimeSpan.FromMinutes(value) },
                "--longest" => options with { LongestFault = TimeSpan.FromSeconds(value) },
                "--paused" => options with { PausedRounds = (int)value },
                "--stale" => options with { StaleRounds = (int)value },
                "--seed" => options with { Seed = (int)value },
                _ => throw new FormatException($"{pair[0]}: not an option. {Usage}"),
            };
        }
        return options;
    }
}
