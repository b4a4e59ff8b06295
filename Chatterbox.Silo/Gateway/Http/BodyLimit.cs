using Microsoft.AspNetCore.Http.Metadata;

namespace Chatterbox.Silo.Gateway.Http;

/// <summary>Bytes of a request's body. A longer one is refused with 413.</summary>
internal sealed class BodyLimit(long bytes) : IRequestSizeLimitMetadata
{
    /// <summary>Where nothing else is said.</summary>
    public const long Small = 16 * 1024;

    public long? MaxRequestBodySize => bytes;
}
