using Chatterbox.Cli.Backup;
using Chatterbox.Cli.Cluster;
using Chatterbox.Cli.Documents;
using Chatterbox.Cli.Help;
using Chatterbox.Cli.Recovery;
using Chatterbox.Cli.Saving;
using Chatterbox.Cli.State;
using Chatterbox.Cli.Work;

namespace Chatterbox.Cli;

/// <summary>All verbs.</summary>
internal static class ChatterboxVerbs
{
    public static ChatterboxCommand Root() => new()
    {
        GetCommand.Create(),
        SetCommand.Create(),
        WatchCommand.Create(),

        SessionCommands.Create(),
        ChunkCommands.Create(),
        VoiceCommands.Create(),

        DocumentCommands.Create(),

        ImportCommand.Create(),
        ExportCommand.Create(),

        StatusCommand.Create(),
        InfoCommand.Create(),
        FlushCommand.Create(),
        RehydrateCommand.Create(),
        ClearCommand.Create(),

        MigrateCommand.Create(),
        ClusterCommands.Create(),

        RecoveryCommands.Recover(),
        RecoveryCommands.Recovery(),
        HistoryCommands.Create(),
    };
}
