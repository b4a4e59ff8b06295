namespace Chatterbox.Silo.Settings;

/// <summary>The operator has something to put right. The message names the setting, its value and what is allowed.</summary>
public sealed class SettingsException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>A setting as an operator writes it: <c>Chatterbox__Silo__Port</c>.</summary>
    public static SettingsException For(string setting, string? value, string allowed, Exception? cause = null) =>
        new(Describe(setting, value, allowed), cause);

    internal static string Describe(string setting, string? value, string allowed) =>
        $"{setting.Replace(":", "__", StringComparison.Ordinal)} is '{value}'; allowed: {allowed}.";
}
