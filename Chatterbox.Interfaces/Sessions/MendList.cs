namespace Chatterbox;

/// <summary>The values that an import repaired: listed up to a limit, then only counted.</summary>
internal sealed class MendList
{
    private readonly List<ImportMend> _listed = [];

    public IReadOnlyList<ImportMend> Listed => _listed;

    public int More { get; private set; }

    public void Add(ImportMend mend)
    {
        if (_listed.Count < Limits.ImportMends) _listed.Add(mend);
        else More++;
    }

    public void Add(string place, string found, string allowed, string done) => Add(new(place, found, allowed, done));
}
