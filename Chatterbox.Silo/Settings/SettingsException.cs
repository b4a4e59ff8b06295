namespace Chatterbox.Silo.Settings;

/// <summary>A setting has to be corrected. The message names it, what is allowed, and its value.</summary>
public sealed class SettingsException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>A setting as an operator writes it: <c>Chatterbox__Silo__Port</c>.</summary>
    public static SettingsException For(string setting, string? value, string allowed, Exception? cause = null) =>
        new(Describe(setting, value, allowed), cause);

    internal static string Describe(string setting, string? value, string allowed) =>
        $"{setting.Replace(":", "__", StringComparison.Ordinal)} must be {allowed}, was '{value}'.";
}
