using System.Globalization;
using System.Text;

namespace Chatterbox.Cli.Help;

/// <summary>
/// Text for a terminal, which must not interpret foreign values: control characters, escape sequences and bidirectional overrides
/// are written as JSON escapes. JSON keeps its meaning.
/// </summary>
internal sealed class EscapingWriter(TextWriter output) : TextWriter(CultureInfo.InvariantCulture)
{
    public override Encoding Encoding => output.Encoding;

    public override void Write(char value) => output.Write(Escape([value]));

    public override void Write(string? value) => output.Write(Escape(value));

    public override void Write(char[] buffer, int index, int count) => output.Write(Escape(buffer.AsSpan(index, count)));

    public override void Write(ReadOnlySpan<char> buffer) => output.Write(Escape(buffer));

    public override void WriteLine() => output.WriteLine();

    public override void WriteLine(string? value) => output.WriteLine(Escape(value));

    public override Task WriteAsync(char value) => output.WriteAsync(Escape([value]));

    public override Task WriteAsync(string? value) => output.WriteAsync(Escape(value));

    public override Task WriteLineAsync() => output.WriteLineAsync();

    public override Task WriteLineAsync(string? value) => output.WriteLineAsync(Escape(value));

    public override void Flush() => output.Flush();

    public override Task FlushAsync() => output.FlushAsync();

    internal static string Escape(ReadOnlySpan<char> text)
    {
        var safe = 0;
        while (safe < text.Length && IsSafe(text, safe)) safe++;
        if (safe == text.Length) return text.ToString();
        var escaped = new StringBuilder().Append(text[..safe]);
        for (var at = safe; at < text.Length; at++)
        {
            if (IsSafe(text, at)) escaped.Append(text[at]);
            else escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[at]:x4}");
        }
        return escaped.ToString();
    }

    private static bool IsSafe(ReadOnlySpan<char> text, int at) => text[at] switch
    {
        '\n' or '\t' => true,
        '\r' => at + 1 < text.Length && text[at + 1] == '\n',
        >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069' => false,
        var other => !char.IsControl(other),
    };
}
