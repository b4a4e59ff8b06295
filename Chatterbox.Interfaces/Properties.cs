using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Chatterbox.Grains")]
[assembly: InternalsVisibleTo("Chatterbox.Client")]
[assembly: InternalsVisibleTo("Chatterbox.Silo")]
[assembly: InternalsVisibleTo("Chatterbox.Tests")]
[assembly: InternalsVisibleTo("Chatterbox.ClusterTests")]
[assembly: InternalsVisibleTo("Chatterbox.GatewayTests")]
