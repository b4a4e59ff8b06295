using System.Globalization;
using Spectre.Console;

namespace Chatterbox.Cli.Saving;

/// <summary>A session's storage, as a table.</summary>
internal static class StorageTable
{
    // Wider than most terminals: a long line is better than a wrapped one.
    private const int Width = 120;

    public static void Write(TextWriter output, StorageInfo info)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("")
            .AddColumn(Right("items")).AddColumn(Right("bytes stored")).AddColumn(Right("uncompressed"))
            .AddColumn(Right("ratio"));
        foreach (var slice in info.Slices)
        {
            table.AddRow(slice.Slice, Number(slice.Items), Number(slice.StoredBytes), Number(slice.Bytes),
                Ratio(slice.Bytes, slice.StoredBytes));
        }
        var (stored, bytes, audio) =
            (info.Slices.Sum(slice => slice.StoredBytes), info.Slices.Sum(slice => slice.Bytes), info.Audio);
        table.AddRow("all slices", "", Number(stored), Number(bytes), Ratio(bytes, stored)).AddEmptyRow()
            .AddRow("audio, referenced", Number(audio.ReferencedClips), Number(audio.ReferencedBytes))
            .AddRow("audio, pending", Number(audio.PendingClips), Number(audio.PendingBytes))
            .AddRow("audio, unreferenced", Number(audio.UnreferencedClips), Number(audio.UnreferencedBytes))
            .AddRow("history", Number(info.HistoryEntries), Number(info.HistoryBytes));

        var console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors,
        });
        console.Profile.Width = Width;
        console.Write(table);
        output.WriteLine($"used: {Number(info.UsedBytes)} of {Number(info.QuotaBytes)} bytes ({Percent(info)} of the quota)");
        output.WriteLine(
            $"saving: {Number(info.Changes)} changes in {Number(info.Writes)} rows written, "
            + $"{Decimal(info.ChangesPerWrite)} changes per write, last "
            + (info.LastSaved is { } at ? at.ToString("u", CultureInfo.InvariantCulture) : "not since the session was loaded"));
    }

    private static TableColumn Right(string name) => new TableColumn(name).RightAligned();

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Ratio(long bytes, long stored) => stored == 0 ? "" : Decimal((double)bytes / stored);

    private static string Decimal(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    private static string Percent(StorageInfo info) =>
        ((double)info.UsedBytes / info.QuotaBytes).ToString("0.0 %", CultureInfo.InvariantCulture);
}
