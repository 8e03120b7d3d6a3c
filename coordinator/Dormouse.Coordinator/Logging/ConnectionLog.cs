using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.Logging;

internal static partial class ConnectionLog
{
    [LoggerMessage(1, LogLevel.Information, "coordinator listens on {Endpoint}, pid {Pid}, computation {Computation:x16}")]
    public static partial void Listening(ILogger logger, string endpoint, int pid, ulong computation);

    [LoggerMessage(2, LogLevel.Warning, "connection from {Endpoint} closed: {Reason}")]
    public static partial void ConnectionClosed(ILogger logger, string endpoint, string reason);

    [LoggerMessage(3, LogLevel.Warning, "no more connections can be accepted for a moment: {Reason}")]
    public static partial void AcceptPaused(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Information, "coordinator ends: {Reason}")]
    public static partial void Ending(ILogger logger, string reason);

    [LoggerMessage(5, LogLevel.Error, "{Invariant}")]
    public static partial void InvariantBroken(ILogger logger, Exception problem, string invariant);
}
