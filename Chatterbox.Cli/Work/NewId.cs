namespace Chatterbox.Cli.Work;

/// <summary>Generates ids of new items.</summary>
internal static class NewId
{
    public static string For(string kind) => $"{kind}-{Guid.NewGuid().ToString("N")[..12]}";
}
