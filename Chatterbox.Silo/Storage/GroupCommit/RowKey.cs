using System.Collections.Concurrent;
using System.Text;
using Orleans.Storage;

namespace Chatterbox.Silo.Storage.GroupCommit;

/// <summary>
/// Which row is a grain's, in the columns of Orleans' ADO.NET storage: two hashes to find it by, and the names themselves,
/// since hashes collide. A key that reads as a GUID or an integer is kept in the number columns, any other as text.
/// </summary>
internal readonly record struct RowKey(int IdHash, long N0, long N1, int TypeHash, string Type, string? Extension)
    : IComparable<RowKey>
{
    /// <summary>Unicode characters, in each of the two names: the columns' length.</summary>
    public const int LongestName = 512;

    private static readonly OrleansDefaultHasher Hasher = new();
    private static readonly ConcurrentDictionary<string, int> TypeHashes = new(StringComparer.Ordinal);

    public static RowKey Of(string type, GrainId grain)
    {
        if (type.Contains('`', StringComparison.Ordinal))
            type = GenericName.Shorten(type);
        var typeHash = TypeHashes.GetOrAdd(type, static name => Hasher.Hash(Encoding.UTF8.GetBytes(name)));
        if (grain.TryGetGuidKey(out var guid, out var extension))
        {
            var bytes = guid.ToByteArray();
            return new(Hash(bytes, extension), BitConverter.ToInt64(bytes, 0), BitConverter.ToInt64(bytes, 8), typeHash, type,
                extension);
        }
        if (grain.TryGetIntegerKey(out var number, out extension))
            return new(Hash(BitConverter.GetBytes(number), extension), 0, number, typeHash, type, extension);
        var text = grain.Key.ToString()!;
        return new(Hash([], text), 0, 0, typeHash, type, text);
    }

    /// <summary>
    /// All batches lock their rows in one order: that of the index, as far as it matters. Two that have rows in common then wait
    /// for
    /// each other instead of ending in a deadlock.
    /// </summary>
    public static List<T> Sorted<T>(List<T> rows) where T : PendingRow
    {
        var sorted = new List<T>(rows);
        sorted.Sort((left, right) => left.Key.CompareTo(right.Key));
        return sorted;
    }

    /// <exception cref="StorageRejectedException">A name is longer than its column.</exception>
    public void RequireLengths()
    {
        Require("state name", Type);
        Require("grain key", Extension ?? "");

        static void Require(string field, string name)
        {
            // A character has one or two UTF-16 units.
            if (name.Length > LongestName && name.EnumerateRunes().Count() is > LongestName and var length)
                throw new StorageRejectedException($"{field}: must be at most {LongestName} characters, was {length}");
        }
    }

    public int CompareTo(RowKey other)
    {
        var order = IdHash.CompareTo(other.IdHash);
        if (order == 0) order = TypeHash.CompareTo(other.TypeHash);
        if (order == 0) order = N0.CompareTo(other.N0);
        if (order == 0) order = N1.CompareTo(other.N1);
        if (order == 0) order = string.CompareOrdinal(Type, other.Type);
        return order == 0 ? string.CompareOrdinal(Extension, other.Extension) : order;
    }

    public override int GetHashCode() => IdHash ^ (TypeHash * 397);

    /// <summary>The stock provider hashes number and text together, last byte first.</summary>
    private static int Hash(ReadOnlySpan<byte> number, string? text)
    {
        var bytes = new byte[number.Length + Encoding.UTF8.GetByteCount(text ?? "")];
        number.CopyTo(bytes);
        Encoding.UTF8.GetBytes(text ?? "", bytes.AsSpan(number.Length));
        Array.Reverse(bytes);
        return Hasher.Hash(bytes);
    }
}
