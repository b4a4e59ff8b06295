using System.Globalization;

namespace Chatterbox.Chaos.Ledgers;

/// <summary>The truth: every change with what its client was told and when, and everything that every store showed.</summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Store, int Number), Change> _changes = [];
    private readonly Dictionary<string, View> _views = [];

    public IReadOnlyList<Change> Changes { get { lock (_lock) return [.. _changes.Values]; } }

    public IReadOnlyList<View> Views { get { lock (_lock) return [.. _views.Values]; } }

    /// <param name="keptOnDisk">The client's changes outlive its process.</param>
    public void Add(Line line, bool keptOnDisk)
    {
        lock (_lock)
        {
            switch (line.Word)
            {
                case Word.Opened:
                    _views[line.Store] = new(line.Store, line.Rest[0], line.At);
                    break;
                case Word.Begun:
                    var change = new Change(line.Store, Number(line), UserOf(line.Store), line.Rest[1],
                        Value(line.Rest[2]), line.At, keptOnDisk);
                    _changes.Add((line.Store, change.Number), change);
                    break;
                case Word.Taken:
                    _changes[(line.Store, Number(line))].Taken = line.At;
                    break;
                case Word.Applied:
                    _changes[(line.Store, Number(line))].Applied = line.At;
                    break;
                case Word.Durable:
                    _changes[(line.Store, Number(line))].Durable = line.At;
                    break;
                case Word.Refused:
                    _changes[(line.Store, Number(line))].Refused = line.Rest[1];
                    break;
                case Word.Dropped:
                    _changes[(line.Store, Number(line))].Dropped = line.Rest[1];
                    break;
                case Word.Shows:
                    _views[line.Store].Shows(line.At, line.Rest[0], Value(line.Rest[1]));
                    break;
                case Word.Reported:
                    _views[line.Store].Hash = line.Rest[0];
                    break;
                case Word.Closed:
                    if (_views.TryGetValue(line.Store, out var view)) view.To = line.At;
                    break;
            }
        }
    }

    /// <summary>The process is gone: its stores show nothing more.</summary>
    public void Ended(string process, TimeSpan at)
    {
        lock (_lock)
        {
            foreach (var view in _views.Values.Where(view => view.Store.StartsWith($"{process}/", StringComparison.Ordinal)))
            {
                view.To ??= at;
            }
        }
    }

    /// <summary>The name of a store ends with its user.</summary>
    public static string UserOf(string store) => store[(store.LastIndexOf('/') + 1)..];

    private static int Number(Line line) => int.Parse(line.Rest[0], CultureInfo.InvariantCulture);

    private static string? Value(string text) => text == "-" ? null : text;
}
