using System.Globalization;
using System.Runtime.CompilerServices;

namespace Chatterbox.Testing;

/// <summary>Tests run as a silo does: the same on every machine, whatever its locale.</summary>
internal static class InvariantCulture
{
    [ModuleInitializer]
    internal static void Use()
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
    }
}
