namespace Chatterbox.GatewayTests.Wire;

public sealed class TypeScriptTests
{
    [Fact(DisplayName = "[W4] protocol.ts of the web client says what the C# contracts say")]
    public void Protocol_is_current() => Pinned.Equal(TypeScript.Generate(), "web/client/src/protocol.ts");
}
