using System.Text.Json.Serialization.Metadata;

namespace Chatterbox.Silo.Gateway.Wire;

/// <summary>
/// The apps' types on the wire: a change is told apart by its <c>type</c>, which is of one app; the client knows the app of a
/// state.
/// </summary>
internal static class AppTypes
{
    public static void Apply(JsonTypeInfo type, IReadOnlyList<AppDefinition> apps)
    {
        if (type.Kind is not JsonTypeInfoKind.Object) return;
        if (type.Type == typeof(SessionChange))
        {
            type.PolymorphismOptions = new() { TypeDiscriminatorPropertyName = "type" };
            foreach (var change in apps.SelectMany(app => app.ChangeTypes)) type.PolymorphismOptions.DerivedTypes.Add(change);
        }
        else if (type.Type == typeof(SessionState))
        {
            type.PolymorphismOptions = new();
            foreach (var app in apps) type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(app.Initial.GetType()));
        }
    }
}
