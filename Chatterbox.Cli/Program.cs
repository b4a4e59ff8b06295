using Chatterbox.Cli.Backup;
using Chatterbox.Cli.Help;
using Chatterbox.Cli.Saving;
using Chatterbox.Cli.State;
using Chatterbox.Cli.Work;

return await new ChatterboxCommand
{
    GetCommand.Create(),
    SetCommand.Create(),
    WatchCommand.Create(),

    SessionCommands.Create(),
    ChunkCommands.Create(),
    VoiceCommands.Create(),

    ImportCommand.Create(),
    ExportCommand.Create(),

    StatusCommand.Create(),
    FlushCommand.Create(),
    RehydrateCommand.Create(),
    ClearCommand.Create(),
}.RunAsync(args);
