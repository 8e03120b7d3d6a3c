using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.Logging;

internal static partial class BarrierLog
{
    [LoggerMessage(10, LogLevel.Debug, "epoch {Epoch}: {Phase} entered from {From}; {Members} members, {Milliseconds:0.0} ms after the last")]
    public static partial void PhaseEntered(ILogger logger, uint epoch, Phase phase, Phase from, int members, double milliseconds);

    [LoggerMessage(11, LogLevel.Warning, "epoch {Epoch}: {Phase} has waited {Seconds:0.0} s for {Missing}")]
    public static partial void BarrierWaits(ILogger logger, uint epoch, Phase phase, double seconds, string missing);
}
