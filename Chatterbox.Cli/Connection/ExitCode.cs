using System.Net.Sockets;
using Chatterbox.Client;
using Chatterbox.Client.Backup;
using Orleans.Serialization;

namespace Chatterbox.Cli.Connection;

/// <summary>The request was wrong: the message names the field, what it must be and what it was.</summary>
internal sealed class WrongRequestException(string message) : Exception(message)
{
    public static WrongRequestException For(Rejection rejection) => new(rejection.Message);
}

/// <summary>The service cannot be reached, or cannot store.</summary>
internal sealed class OutOfServiceException(string message) : Exception(message);

/// <summary>Exit codes, for scripts.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Unexpected = 1;
    public const int WrongRequest = 2;
    public const int OutOfService = 3;

    /// <summary><c>migrate --check</c> found sessions that would not load.</summary>
    public const int CheckFailed = 4;

    /// <summary>128 + SIGINT, as in shells.</summary>
    public const int Interrupted = 130;

    public static int Of(Exception failure) => failure switch
    {
        WrongRequestException or ChangeRejectedException or SessionRefusedException or SessionUnknownException => WrongRequest,
        BackupFormatException or ClipRefusedException or QuotaExceededException or AccessDeniedException => WrongRequest,
        OutOfServiceException or StorageUnavailableException or TimeoutException or SocketException or OrleansException =>
            OutOfService,
        // An exception type of the silo, such as its database driver's, that is not known here.
        UnavailableExceptionFallbackException or IOException => OutOfService,
        OperationCanceledException => Interrupted,
        _ => Unexpected,
    };

    /// <summary>One line, without a stack trace.</summary>
    public static string Explain(Exception failure) => Of(failure) switch
    {
        Interrupted => "interrupted",
        Unexpected => $"unexpected error: {failure.GetType().Name}: {OneLine(failure.Message)}",
        _ => OneLine(failure.Message),
    };

    private static string OneLine(string message) =>
        string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
