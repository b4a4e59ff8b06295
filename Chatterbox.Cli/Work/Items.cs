using Chatterbox.Cli.Connection;

namespace Chatterbox.Cli.Work;

/// <summary>Items of the state by the ids that a command line names.</summary>
internal static class Items
{
    /// <summary>The requested id, or a generated one.</summary>
    /// <exception cref="WrongRequestException">Another item has this id.</exception>
    public static string FreeId<T>(this ValueList<T> items, string? wanted, string kind) where T : class, IKeyed =>
        wanted is null ? NewId.For(kind)
        : items.Find(wanted) is null ? wanted
        : throw WrongRequestException.For(Rejection.OfText("--id", wanted, $"an id that no other {kind} has"));

    /// <exception cref="WrongRequestException">No item has this id.</exception>
    public static T Existing<T>(this ValueList<T> items, string id, string field) where T : class, IKeyed =>
        items.Find(id) ?? throw WrongRequestException.For(Rejection.OfText(field, id, items.Count switch
        {
            0 => "an existing id (there is none)",
            <= 20 => $"an existing id ({string.Join(", ", items.Select(item => item.Id))})",
            _ => $"one of the {items.Count} existing ids",
        }));
}
