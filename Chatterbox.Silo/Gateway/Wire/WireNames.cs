using System.Text.Json;

namespace Chatterbox.Silo.Gateway.Wire;

/// <summary>Names as they are in JSON, where they are needed outside of it.</summary>
internal static class WireNames
{
    private static readonly Dictionary<string, Slice> SlicesByName =
        Enum.GetValues<Slice>().ToDictionary(
            slice => JsonSerializer.SerializeToElement(slice, WireJson.Of<Slice>()).GetString()!);

    public static IEnumerable<string> Slices => SlicesByName.Keys;

    public static bool TryFindSlice(string name, out Slice slice) => SlicesByName.TryGetValue(name, out slice);
}
