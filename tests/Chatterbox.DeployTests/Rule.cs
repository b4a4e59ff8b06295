namespace Chatterbox.DeployTests;

/// <summary>Something that holds in every overlay.</summary>
/// <param name="Name">The claim.</param>
/// <param name="Problems">What contradicts it.</param>
/// <param name="Break">Makes it untrue in a manifest: a rule that does not notice is no rule.</param>
internal sealed record Rule(string Name, Func<Manifest, IEnumerable<string>> Problems, Action<Manifest> Break)
{
    /// <summary>A rule about one value.</summary>
    public static Rule That(string name, Func<Manifest, bool> holds, Action<Manifest> @break) =>
        new(name, manifest => holds(manifest) ? [] : [name], @break);

    /// <summary>A rule about each of several things, which have names.</summary>
    public static Rule ForEach<T>(string name, Func<Manifest, IEnumerable<(string Of, T Thing)>> things,
        Func<T, bool> holds, Action<Manifest> @break) =>
        new(name, manifest => things(manifest).Where(each => !holds(each.Thing)).Select(each => $"{each.Of}: {name}"), @break);

    public override string ToString() => Name;
}
