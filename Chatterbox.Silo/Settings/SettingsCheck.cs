using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Chatterbox.Silo.Settings;

/// <summary>
/// Holds a configuration section against the options class it is bound to. The binder stops at the first thing it
/// dislikes and speaks of .NET types; an operator wants every mistake at once, in the words of the settings.
/// </summary>
internal static class SettingsCheck
{
    /// <summary>
    /// Appends a line to <paramref name="problems"/> for each key without a property and each value it cannot take.
    /// </summary>
    public static void Check(IConfigurationSection section, Type options, ICollection<string> problems)
    {
        var properties = options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true } || property.PropertyType.IsGenericType)
            .ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);

        foreach (var child in section.GetChildren())
        {
            if (!properties.TryGetValue(child.Key, out var property))
                problems.Add(Unknown(child, properties.Keys));
            else if (property.PropertyType is { IsGenericType: true } map
                && map.GetGenericTypeDefinition() == typeof(Dictionary<,>))
                foreach (var entry in child.GetChildren()) Check(entry, map.GetGenericArguments()[1], problems);
            else if (IsScalar(property.PropertyType))
                CheckValue(child, property, problems);
            else
                Check(child, property.PropertyType, problems);
        }
    }

    public static string Unknown(IConfigurationSection setting, IEnumerable<string> known) =>
        $"{setting.Path.Replace(":", "__", StringComparison.Ordinal)} is not a setting; known here: {string.Join(", ", known)}.";

    private static void CheckValue(IConfigurationSection setting, PropertyInfo property, ICollection<string> problems)
    {
        if (setting.GetChildren().Any())
            problems.Add(
                $"{setting.Path.Replace(":", "__", StringComparison.Ordinal)} takes one value and has no settings below it.");
        else if (!TryParse(setting.Value, Bare(property.PropertyType), out var value)
                 || property.GetCustomAttributes<ValidationAttribute>().Any(rule => !rule.IsValid(value)))
            problems.Add(SettingsException.Describe(setting.Path, setting.Value, Allowed(property)));
    }

    private static bool TryParse(string? text, Type type, out object? value)
    {
        value = text;
        if (type == typeof(string))
            return true;
        // Enum.Parse takes any number, also one that names no member.
        if (type.IsEnum)
            return Enum.TryParse(type, text, ignoreCase: true, out value) && Enum.IsDefined(type, value!)
                && !char.IsAsciiDigit(text![0]);
        try
        {
            value = TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, text ?? "");
            return value is not null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    private static string Allowed(PropertyInfo property)
    {
        if (Bare(property.PropertyType) is { IsEnum: true } choices)
            return string.Join(", ", Enum.GetNames(choices));
        var kind = Bare(property.PropertyType) switch
        {
            var type when type == typeof(int) || type == typeof(long) => "a whole number",
            var type when type == typeof(TimeSpan) => "a duration such as 00:00:30",
            var type when type == typeof(bool) => "true or false",
            _ => "a text",
        };
        return property.GetCustomAttributes<ValidationAttribute>().Aggregate(kind, (text, rule) => rule switch
        {
            RangeAttribute range => $"{text} from {range.Minimum} to {range.Maximum}",
            StringLengthAttribute length => $"{text} of {length.MinimumLength} to {length.MaximumLength} characters",
            RegularExpressionAttribute pattern => $"{text} that matches {pattern.Pattern}",
            _ => text,
        });
    }

    private static bool IsScalar(Type declared) => Bare(declared) is var type
        && (type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(TimeSpan));

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;
}
