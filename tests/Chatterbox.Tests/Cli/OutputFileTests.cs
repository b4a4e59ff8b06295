using System.Diagnostics;
using System.Text;
using Chatterbox.Cli.Connection;
using Chatterbox.Cli.Files;
using Chatterbox.Cli.Help;

namespace Chatterbox.Tests.Cli;

public sealed class OutputFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("chatterbox-output-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory(DisplayName = "[R4] a file that an export replaces keeps its mode")]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead)]
    public async Task Mode(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows()) return;
        var path = Existing("old and longer");
        File.SetUnixFileMode(path, mode);
        await WriteAsync(path, "new");
        Assert.Equal(("new", mode), (File.ReadAllText(path), File.GetUnixFileMode(path)));
        Assert.Single(Directory.GetFiles(_folder.FullName));
    }

    [Fact(DisplayName = "[R4] a file of several names keeps them all")]
    public async Task HardLink()
    {
        if (!OperatingSystem.IsLinux()) return;
        var path = Existing("old and longer");
        var other = Path.Combine(_folder.FullName, "other");
        using (var ln = Process.Start("ln", [path, other])) await ln.WaitForExitAsync();
        await WriteAsync(path, "new");
        Assert.Equal("new", File.ReadAllText(other));
    }

    [Fact(DisplayName = "[R4] a link stays one, and a pipe is written to")]
    public async Task LinkAndPipe()
    {
        if (!OperatingSystem.IsLinux()) return;
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, Existing("old"));
        await WriteAsync(link, "new");
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal("new", File.ReadAllText(link));

        var pipe = Path.Combine(_folder.FullName, "pipe");
        using (var mkfifo = Process.Start("mkfifo", [pipe])) await mkfifo.WaitForExitAsync();
        var read = Task.Run(() => File.ReadAllText(pipe));
        await WriteAsync(pipe, "new");
        Assert.Equal("new", await read);
        Assert.False(UnixFile.Of(pipe)!.Value.IsRegular);
    }

    [Fact(DisplayName = "[R4] what fails half-way leaves the file that was there")]
    public async Task Fails()
    {
        var path = Existing("old");
        await Assert.ThrowsAsync<TimeoutException>(() => OutputFile.WriteAsync(path, async file =>
        {
            await file.WriteAsync("new"u8.ToArray());
            throw new TimeoutException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(_folder.FullName));
        await Assert.ThrowsAsync<WrongRequestException>(() => WriteAsync(Path.Combine(_folder.FullName, "none", "file"), "new"));
        await Assert.ThrowsAsync<WrongRequestException>(() => WriteAsync(_folder.FullName, "new"));
    }

    [Theory(DisplayName = "[X3] what is printed cannot act on a terminal, and JSON stays the same JSON")]
    [InlineData("a\tb\nc\r\n", "a\tb\nc\r\n")]
    [InlineData("\u001b[2J", "\\u001b[2J")]
    [InlineData("\u009b2J\u007f", "\\u009b2J\\u007f")]
    [InlineData("a\rb", "a\\u000db")]
    [InlineData("a\u202eb\u2066", "a\\u202eb\\u2066")]
    [InlineData("café 日本 😀", "café 日本 😀")]
    [InlineData("", "")]
    public void Escaped(string text, string printed)
    {
        var output = new StringWriter { NewLine = "\n" };
        var writer = new EscapingWriter(output);
        writer.Write(text);
        Assert.Equal(printed, output.ToString());
        output.GetStringBuilder().Clear();
        writer.WriteLine(text);
        Assert.Equal($"{printed}\n", output.ToString());
    }

    private string Existing(string text)
    {
        var path = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(path, text);
        return path;
    }

    private static Task WriteAsync(string path, string text) =>
        OutputFile.WriteAsync(path, file => file.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask());
}
