namespace Chatterbox.EndToEndTests;

/// <summary>The test assembly as a process of its own.</summary>
internal static class Program
{
    public static Task Main(string[] args) => OutboxWriter.RunAsync(args);
}
