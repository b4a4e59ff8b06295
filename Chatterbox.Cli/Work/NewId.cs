namespace Chatterbox.Cli.Work;

/// <summary>Ids for what is made here.</summary>
internal static class NewId
{
    public static string For(string kind) => $"{kind}-{Guid.NewGuid().ToString("N")[..12]}";
}
