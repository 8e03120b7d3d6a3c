using Dormouse.Coordinator.State;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.Logging;

internal static partial class MemberLog
{
    [LoggerMessage(30, LogLevel.Debug, "epoch {Epoch}: member {Id} joined: {Member}, {Flags}")]
    public static partial void MemberJoined(ILogger logger, uint epoch, uint id, Member member, MemberFlags flags);

    [LoggerMessage(31, LogLevel.Debug, "epoch {Epoch}: member {Id} left: {Member}; {Rest} remain")]
    public static partial void MemberLost(ILogger logger, uint epoch, uint id, Member member, int rest);

    [LoggerMessage(32, LogLevel.Warning, "pid {Pid} ({Program}) on {Host} is refused: {Reason}")]
    public static partial void MemberRefused(ILogger logger, int pid, string program, string host, string reason);
}
