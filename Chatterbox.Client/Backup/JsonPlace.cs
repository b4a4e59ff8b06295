using System.Text;
using System.Text.Json;

namespace Chatterbox.Client.Backup;

/// <summary>The position of a reader in a document: <c>state.chunks[3].audioData</c>.</summary>
internal sealed class JsonPlace
{
    private readonly List<Level> _levels = [];

    private sealed class Level(bool isArray)
    {
        public bool IsArray => isArray;

        public string Name { get; set; } = "";

        public int Index { get; set; } = -1;
    }

    /// <summary>Call before reading a value.</summary>
    public void BeforeValue()
    {
        if (_levels.Count > 0 && _levels[^1].IsArray) _levels[^1].Index++;
    }

    public void Name(string name) => _levels[^1].Name = name;

    public void Enter(JsonTokenType start) => _levels.Add(new(start == JsonTokenType.StartArray));

    public void Leave() => _levels.RemoveAt(_levels.Count - 1);

    /// <summary>The name of the current member; empty in an array.</summary>
    public string Last => _levels.Count == 0 ? "" : _levels[^1].Name;

    /// <summary>Whether the place matches a pattern of names, where <c>*</c> matches any array item and any member.</summary>
    public bool Is(params ReadOnlySpan<string> pattern)
    {
        if (_levels.Count != pattern.Length) return false;
        for (var depth = 0; depth < pattern.Length; depth++)
        {
            var level = _levels[depth];
            if (pattern[depth] != "*" && (level.IsArray || pattern[depth] != level.Name)) return false;
        }
        return true;
    }

    public override string ToString()
    {
        var path = new StringBuilder();
        foreach (var level in _levels)
        {
            if (level.IsArray) path.Append('[').Append(Math.Max(level.Index, 0)).Append(']');
            else if (level.Name.Length > 0) path.Append(path.Length > 0 ? "." : "").Append(level.Name);
        }
        return path.ToString();
    }
}
