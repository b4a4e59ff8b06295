using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Chatterbox.Silo.Gateway.Wire;

namespace Chatterbox.GatewayTests.Wire;

/// <summary>The wire in TypeScript.</summary>
internal sealed class TypeScript
{
    private static readonly JsonNamingPolicy Camel = JsonNamingPolicy.CamelCase;

    private readonly StringBuilder _text = new("""
        // Generated from the C# contracts by tests/Chatterbox.GatewayTests, which fails when this file differs. Do not edit.
        // A member with a question mark is absent where it has no value; null is never sent, and is taken as absent.

        """.ReplaceLineEndings("\n"));

    private readonly Documentation _docs = new(typeof(SessionState).Assembly, typeof(WebProtocol).Assembly);

    public static string Generate()
    {
        var script = new TypeScript();
        script.Constants("protocol", typeof(WebProtocol));
        script.Constants("limits", typeof(Limits), typeof(TtsLimits));
        script.Slices();
        script.Documents();
        script.Parameters();
        script.Hub();
        foreach (var type in WireTypes.All)
        {
            if (type.IsEnum) script.Union(type);
            else script.Interface(type);
        }
        return script._text.ToString();
    }

    private void Constants(string name, params Type[] types)
    {
        _text.Append($"\n{_docs.Of(types[0], "")}export const {name} = {{\n");
        foreach (var constant in types.SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.Static))
            .Where(field => field.IsLiteral))
        {
            _text.Append($"{_docs.Of(constant, "  ")}  {Camel.ConvertName(constant.Name)}: {constant.GetRawConstantValue()},\n");
        }
        _text.Append("} as const;\n");
    }

    private void Slices()
    {
        var names = string.Join(" | ", TtsApp.Instance.Slices.Select(slice => $"'{slice.Name}'"));
        _text.Append($"\n/** Names of the slices of the text-to-speech app. */\nexport type Slice = {names};\n");
    }

    private void Documents()
    {
        var names = typeof(DocumentLimits);
        Constants("documentLimits", names);
        _text.Append("\n/** A document: JSON values by key. */\n"
            + "export interface DocumentState {\n  readonly [key: string]: unknown;\n}\n");
    }

    private void Parameters()
    {
        _text.Append("""

            /** A parameter under the name that it has in TtsParameters, with the model's own range. */
            export interface ParameterSpec {
              readonly name: keyof TtsParameters;
              readonly min: number;
              readonly max: number;
              readonly step: number;
              readonly choices?: readonly string[];
              readonly ignored: boolean;
              readonly isInteger: boolean;
            }

            export const parameterSpecs: Readonly<Record<TtsEngine, readonly ParameterSpec[]>> = {

            """.ReplaceLineEndings("\n"));
        foreach (var engine in Enum.GetValues<TtsEngine>())
        {
            _text.Append($"  {Name(engine)}: [\n");
            foreach (var spec in TtsParameterSpec.For(engine))
            {
                var choices = spec.Choices is { } all ? $", choices: [{string.Join(", ", all.Select(each => $"'{each}'"))}]" : "";
                _text.Append($"    {{ name: '{Member(spec.Name)}', min: {spec.Min}, max: {spec.Max}, step: {spec.Step}{choices}, "
                    + $"ignored: {Text(spec.Ignored)}, isInteger: {Text(spec.IsInteger)} }},\n");
            }
            _text.Append("  ],\n");
        }
        _text.Append("};\n\nexport const parameterDefaults: Readonly<Record<TtsEngine, TtsParameters>> = {\n");
        foreach (var engine in Enum.GetValues<TtsEngine>())
        {
            var defaults = JsonSerializer.Serialize(TtsParameters.DefaultsFor(engine), WireJson.Of<TtsParameters>());
            _text.Append($"  {Name(engine)}: {defaults},\n");
        }
        _text.Append($"}};\n\n/** A session in which nothing was changed yet. */\nexport const initialState: AppState = {
            JsonSerializer.Serialize(AppState.Initial, WireJson.Of<AppState>())};\n");
    }

    private void Hub()
    {
        _text.Append($"\n{_docs.Of(typeof(IGatewayHub), "")}export interface Hub {{\n");
        foreach (var method in typeof(IGatewayHub).GetMethods())
        {
            var answer = method.ReturnType.IsGenericType ? method.ReturnType.GetGenericArguments()[0].Name : "void";
            var call = method.GetParameters()[0].ParameterType.Name;
            _text.Append($"  {method.Name[..^"Async".Length]}(call: {call}): Promise<{answer}>;\n");
        }
        _text.Append($$"""
            }

            {{_docs.Of(typeof(Push), "")}}export interface Pushes {
              {{Push.Events}}: {{nameof(EventsPush)}};
              {{Push.Behind}}: {{nameof(BehindPush)}};
              {{Push.Bye}}: {{nameof(ByePush)}};
            }

            """.ReplaceLineEndings("\n"));
    }

    private void Union(Type type)
    {
        var names = Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(value => $"'{Name(Enum.ToObject(type, value))}'");
        _text.Append($"\n{_docs.Of(type, "")}export type {type.Name} = {string.Join(" | ", names)};\n");
    }

    private void Interface(Type type)
    {
        var info = WireTypes.Of(type);
        if (info.PolymorphismOptions is not null)
        {
            _text.Append($"\n{_docs.Of(type, "")}export type {type.Name} =");
            foreach (var member in WireTypes.MembersOfFamily(type)) _text.Append($"\n  | {member.Name}");
            _text.Append(";\n");
            return;
        }
        _text.Append($"\n{_docs.Of(type, "")}export interface {type.Name} {{\n");
        if (Discriminator(type) is { } kind) _text.Append($"  readonly type: '{kind}';\n");
        foreach (var member in WireTypes.MembersOf(type))
        {
            var isOptional = member.IsGetNullable || Nullable.GetUnderlyingType(member.PropertyType) is not null
                || member.Name == UnknownAsText.Member;
            var doc = member.Name == UnknownAsText.Member
                ? "  /** Members that the silo's version does not know, as a JSON object. Send it back as it is. */\n"
                : _docs.Of(type, member.Name, "  ");
            _text.Append($"{doc}  readonly {member.Name}{(isOptional ? "?" : "")}: {SlicesOf(type, member.Name)
                ?? TypeOf(member.PropertyType)};\n");
        }
        _text.Append("}\n");
    }

    private static object? Discriminator(Type type) => WireTypes.FamilyOf(type) is { } family
        ? WireTypes.Of(family).PolymorphismOptions?.DerivedTypes.Single(each => each.DerivedType == type).TypeDiscriminator
        : null;

    // Only the app itself knows the names of its slices.
    private static string? SlicesOf(Type type, string member) =>
        (type == typeof(Preferences) && member is "syncedSlices") || type == typeof(SetSyncedSlices) ? "readonly Slice[]" : null;

    private static string TypeOf(Type declared)
    {
        var type = WireTypes.Bare(declared);
        if (WireTypes.ItemOf(type) is { } item) return $"readonly {TypeOf(item)}[]";
        return type switch
        {
            _ when type == typeof(string) || type == typeof(DateTimeOffset) => "string",
            _ when type == typeof(bool) => "boolean",
            _ when type == typeof(int) || type == typeof(long) || type == typeof(double) => "number",
            _ when type == typeof(DocumentValue) => "unknown",
            _ when WireTypes.All.Contains(type) => type.Name,
            _ => throw new NotSupportedException($"{type} has no form in TypeScript."),
        };
    }

    private static string Name(object value) =>
        value.GetType().GetField($"{value}")!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? $"{value}";

    // The model's cfg_weight is cfgWeight in JSON.
    private static string Member(string name) =>
        string.Concat(name.Split('_').Select((part, index) => index == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..]));

    private static string Text(bool value) => value ? "true" : "false";
}
