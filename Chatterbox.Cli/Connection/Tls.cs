using System.CommandLine;
using Chatterbox.Client;

namespace Chatterbox.Cli.Connection;

/// <summary>Encrypted connections to silos that use TLS: from options or the environment, in this order.</summary>
internal static class Tls
{
    private static readonly Option<string?> ServerName = New(
        "--tls-server-name", "name", "The name in the silos' certificates: connections are encrypted.");

    private static readonly Option<string?> Authority = New(
        "--tls-authority", "path", "A PEM file with the authorities to accept. Without it: those that the machine trusts.");

    private static readonly Option<string?> Certificate = New(
        "--tls-certificate", "path", "A PEM file with a certificate of this client, where silos require one.");

    private static readonly Option<string?> Key = New("--tls-key", "path", "A PEM file with its key.");

    public static IReadOnlyList<Option> All { get; } = [ServerName, Authority, Certificate, Key];

    /// <exception cref="WrongRequestException">A file is not there, or the name is missing.</exception>
    public static void Configure(ChatterboxClientOptions options, ParseResult parsed)
    {
        options.TlsServerName = Value(ServerName);
        options.TlsAuthority = FileOf(Authority);
        options.TlsCertificate = FileOf(Certificate);
        options.TlsKey = FileOf(Key);
        if (options.TlsServerName is null && (options.TlsAuthority ?? options.TlsCertificate ?? options.TlsKey) is not null)
            throw WrongRequestException.For(new(ServerName.Name, "missing", "the name in the silos' certificates"));

        string? FileOf(Option<string?> option) => Value(option) is not { } path ? null
            : File.Exists(path) ? path
            : throw WrongRequestException.For(Rejection.OfText(option.Name, path, "a file that can be read"));

        string? Value(Option<string?> option) => parsed.GetValue(option) is { Length: > 0 } given ? given
            : Environment.GetEnvironmentVariable(VariableOf(option.Name)) is { Length: > 0 } set ? set
            : null;
    }

    private static string VariableOf(string option) =>
        $"CHATTERBOX_{option.TrimStart('-').Replace('-', '_').ToUpperInvariant()}";

    private static Option<string?> New(string name, string help, string description) => new(name)
    {
        Description = $"{description} Or: {VariableOf(name)}.",
        HelpName = help,
        Recursive = true,
    };
}
