using System.Globalization;

namespace Chatterbox.Grains.Tts.Import;

/// <summary>Assigns unique ids to the items of a list: their own if possible.</summary>
/// <param name="kind">The prefix of generated ids.</param>
/// <param name="stated">All ids in the list: a valid one is not given to another item.</param>
internal sealed class ItemIds(string kind, IEnumerable<string?> stated)
{
    private readonly HashSet<string> _valid =
        stated.OfType<string>().Where(id => Text.CheckId("", id) is null).ToHashSet(StringComparer.Ordinal);

    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _last = new(StringComparer.Ordinal);

    /// <summary>The id for an item with or without an id of its own.</summary>
    public string Take(string? id)
    {
        if (id is not null && _valid.Contains(id) && _used.Add(id)) return id;
        var line = id is null ? null : FieldMender.ToLine(id, Limits.IdLength);
        return line is not null && !_valid.Contains(line) && _used.Add(line) ? line : Next(line ?? kind, line is null ? 1 : 2);
    }

    /// <summary>Another id based on one already in use: <c>chunk-1-2</c>.</summary>
    public string Next(string id, int from = 2)
    {
        for (var number = Math.Max(from, _last.GetValueOrDefault(id) + 1); ; number++)
        {
            _last[id] = number;
            var suffix = string.Create(CultureInfo.InvariantCulture, $"-{number}");
            var next = FieldMender.Cut(id, Limits.IdLength - suffix.Length) + suffix;
            if (!_valid.Contains(next) && _used.Add(next)) return next;
        }
    }
}
