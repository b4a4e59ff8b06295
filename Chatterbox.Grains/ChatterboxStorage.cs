namespace Chatterbox.Grains;

/// <summary>Names shared by the grains and their host.</summary>
public static class ChatterboxStorage
{
    /// <summary>The grain storage provider that holds slices, audio clips and history.</summary>
    public const string Name = "chatterbox";
}
