namespace Chatterbox.Cli.Connection;

/// <summary>The apps whose states this command can read.</summary>
internal static class KnownApps
{
    private static readonly AppDefinition[] All = [TtsApp.Instance, DocumentApp.Instance];

    public static IEnumerable<string> Names => All.Select(app => app.Name);

    public static AppDefinition? Find(string name) => Array.Find(All, app => app.Name == name);
}
