using System.CommandLine;
using Chatterbox.Cli;
using Chatterbox.Cli.Connection;

namespace Chatterbox.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory(DisplayName = "[X2] a command line that makes no sense is refused")]
    [InlineData("frobnicate")]
    [InlineData("get")]
    [InlineData("set alice")]
    [InlineData("chunk")]
    [InlineData("chunk paint alice")]
    [InlineData("export alice")]
    [InlineData("get alice --gateway localhost:notaport")]
    [InlineData("get alice --gateway 127.0.0.1:99999")]
    [InlineData("get alice --timeout 0")]
    [InlineData("get alice --timeout soon")]
    [InlineData("migrate")]
    [InlineData("migrate alice --check")]
    public void Refused(string line) => Assert.NotEmpty(ChatterboxVerbs.Root().Parse(line).Errors);

    [Fact(DisplayName = "[X2] several gateways may be named, and one without a port is at the usual one")]
    public void Gateways()
    {
        var parsed = ChatterboxVerbs.Root().Parse("get alice --gateway 127.0.0.1:31000 --gateway 127.0.0.2");
        Assert.Empty(parsed.Errors);
        Assert.Equal(["127.0.0.1:31000", "127.0.0.2:30000"],
            parsed.GetRequiredValue(ConnectionOptions.Gateways).Select(each => each.ToString()));
    }

    [Fact(DisplayName = "[X2] every verb has help with an example of itself")]
    public void Help()
    {
        foreach (var (verb, name) in Verbs(ChatterboxVerbs.Root(), ""))
        {
            Assert.Contains($"Examples:", verb.More, StringComparison.Ordinal);
            Assert.Contains($"  chatterbox {name} alice", verb.More, StringComparison.Ordinal);
        }
    }

    [Theory(DisplayName = "[X2] an exit code tells a wrong request from a service out of reach and from a defect")]
    [InlineData(2, typeof(WrongRequestException))]
    [InlineData(3, typeof(OutOfServiceException))]
    [InlineData(3, typeof(TimeoutException))]
    [InlineData(3, typeof(IOException))]
    [InlineData(130, typeof(OperationCanceledException))]
    [InlineData(1, typeof(InvalidCastException))]
    public void ExitCodes(int code, Type failure)
    {
        var thrown = failure.GetConstructor([typeof(string)])!.Invoke(["two\nlines"]);
        Assert.Equal(code, ExitCode.Of((Exception)thrown));
        Assert.DoesNotContain('\n', ExitCode.Explain((Exception)thrown));
    }

    private static IEnumerable<(SessionVerb Verb, string Name)> Verbs(Command command, string path) =>
        command.Subcommands.SelectMany(each =>
            each is SessionVerb verb ? [(verb, $"{path}{verb.Name}")] : Verbs(each, $"{path}{each.Name} "));
}
