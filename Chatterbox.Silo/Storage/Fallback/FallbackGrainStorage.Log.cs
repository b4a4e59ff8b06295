namespace Chatterbox.Silo.Storage.Fallback;

internal sealed partial class FallbackGrainStorage
{
    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Count} frames that are not in the database yet are in the fallback file {Path}.")]
    private partial void LogFound(int count, string path);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Count} frames in the fallback file {Path} are for another database or service than "
        + "{Database}, {Service}. They stay there, and are replayed by a silo that uses this file with theirs.")]
    private partial void LogForeign(int count, string path, string database, string service);

    [LoggerMessage(Level = LogLevel.Error, Message = "Nothing is replayed: {Reason}.")]
    private partial void LogOtherDatabase(string reason);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The silo stops with {Count} rows that are not in the database. They are in the fallback "
        + "file {Path}; the next start with this file and this database replays them.")]
    private partial void LogLeft(int count, string path);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Replayed {StateName} of {Grain} from the fallback file into the database.")]
    private partial void LogReplayed(string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{StateName} of {Grain} from the fallback file is in the history: {Reason}.")]
    private partial void LogKept(string stateName, GrainId grain, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Frame {Number} of the fallback file cannot be replayed and stays there.")]
    private partial void LogNotReplayed(Exception failure, long number);

    [LoggerMessage(Level = LogLevel.Error, Message = "The fallback file is damaged and was moved to {Path}: {Reason}.")]
    private partial void LogDamaged(string path, string reason);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{StateName} of {Grain} is in the database, but could not be removed from the fallback file.")]
    private partial void LogNotForgotten(Exception failure, string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The fallback file cannot be read; {StateName} of {Grain} starts from what is in the database.")]
    private partial void LogNotRead(Exception failure, string stateName, GrainId grain);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} frames stay in the fallback file for now: {Reason}")]
    private partial void LogReplayFailed(int count, string reason);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{StateName} of {Grain} could be written neither to the database nor to the fallback file.")]
    private partial void LogNotKept(Exception failure, string stateName, GrainId grain);
}
