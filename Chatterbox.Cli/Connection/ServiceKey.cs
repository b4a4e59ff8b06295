using System.CommandLine;

namespace Chatterbox.Cli.Connection;

/// <summary>
/// The silos' service key: from an option, a file or the environment, in this order. Other users of the machine can see a command
/// line, so a file is safer.
/// </summary>
internal static class ServiceKey
{
    private const string Variable = "CHATTERBOX_SERVICE_KEY";
    private const string FileVariable = "CHATTERBOX_SERVICE_KEY_FILE";

    public static Option<string?> Value { get; } = new("--service-key")
    {
        Description = $"The silos' service key. Or: {Variable}.",
        HelpName = "key",
        Recursive = true,
    };

    public static Option<string?> File { get; } = new("--service-key-file")
    {
        Description = $"A file that holds the silos' service key. Or: {FileVariable}.",
        HelpName = "path",
        Recursive = true,
    };

    /// <summary>Null if none is given: silos on a developer's machine need none.</summary>
    /// <exception cref="WrongRequestException">The file cannot be read.</exception>
    public static string? Of(ParseResult parsed)
    {
        if (parsed.GetValue(Value) is { Length: > 0 } given) return given;
        if (parsed.GetValue(File) is { Length: > 0 } file) return Read("--service-key-file", file);
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } key) return key;
        return Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } other ? Read(FileVariable, other) : null;
    }

    // Editors and shells append a line end.
    private static string Read(string setting, string path)
    {
        try
        {
            return System.IO.File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw WrongRequestException.For(Rejection.OfText(setting, path, $"a file that can be read ({failure.Message})"));
        }
    }
}
