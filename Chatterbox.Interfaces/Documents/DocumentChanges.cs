using System.Text.Json.Serialization;

namespace Chatterbox;

/// <summary>The changes of a document, each of one key.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.DocumentChange")]
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(SetKey), "setKey")]
[JsonDerivedType(typeof(MergePatchKey), "mergeKey")]
[JsonDerivedType(typeof(RemoveKey), "removeKey")]
public abstract record DocumentChange : Change<DocumentState>
{
    private protected DocumentChange() { }

    private protected static Rejection? CheckKey(string? key) => key is null || !Text.IsWellFormed(key)
        ? Rejection.OfText("key", key, "valid Unicode")
        : key.Length > DocumentLimits.KeyLength
            ? Rejection.OfText("key", key, $"at most {DocumentLimits.KeyLength} characters")
            : null;

    private protected static Rejection? Check(DocumentState state, string? key, string field, DocumentValue? value) =>
        CheckKey(key)
        ?? (value is null ? Rejection.OfText(field, null, "JSON") : value.Check(field))
        ?? (state.Find(key!) is null && state.Count >= DocumentLimits.Keys
            ? new("keys", $"{state.Count + 1}", $"at most {DocumentLimits.Keys}")
            : null);

    private protected static int WeightOf(string key, DocumentValue value) => (sizeof(char) * key.Length) + value.Length;
}

/// <summary>Sets a key to a value, whatever it was before.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.SetKey")]
public sealed record SetKey([property: Id(0)] string Key, [property: Id(1)] DocumentValue Value) : DocumentChange
{
    protected override SliceDefinition Target => DocumentApp.SliceOf(Key);

    protected internal override Rejection? Check(DocumentState state, ValueList<string>? slices) =>
        Check(state, Key, "value", Value);

    protected internal override DocumentState Apply(DocumentState state) => state.With(Key, Value);

    protected internal override int Weigh() => UsualWeight + WeightOf(Key, Value);
}

/// <summary>
/// Merges a patch into a key's value (RFC 7396), so that edits of different fields by two clients are both kept. A key that the
/// document does not have is made.
/// </summary>
[GenerateSerializer, Immutable, Alias("chatterbox.MergePatchKey")]
public sealed record MergePatchKey([property: Id(0)] string Key, [property: Id(1)] DocumentValue Patch) : DocumentChange
{
    protected override SliceDefinition Target => DocumentApp.SliceOf(Key);

    protected internal override Rejection? Check(DocumentState state, ValueList<string>? slices) =>
        Check(state, Key, "patch", Patch);

    protected internal override DocumentState Apply(DocumentState state) =>
        state.With(Key, DocumentValue.Merge(state.Find(Key), Patch));

    protected internal override int Weigh() => UsualWeight + WeightOf(Key, Patch);
}

/// <summary>Removes a key. Without effect when the document does not have it.</summary>
[GenerateSerializer, Immutable, Alias("chatterbox.RemoveKey")]
public sealed record RemoveKey([property: Id(0)] string Key) : DocumentChange
{
    protected override SliceDefinition Target => DocumentApp.SliceOf(Key);

    protected internal override Rejection? Check(DocumentState state, ValueList<string>? slices) => CheckKey(Key);

    protected internal override DocumentState Apply(DocumentState state) => state.Find(Key) is null ? state : state.Without(Key);
}
