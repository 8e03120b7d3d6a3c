using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.Logging;

internal static partial class CheckpointLog
{
    [LoggerMessage(20, LogLevel.Information, "epoch {Epoch}: checkpoint of generation {Generation} starts; {Members} members, into {Directory}")]
    public static partial void CheckpointStarted(ILogger logger, uint epoch, uint generation, int members, string directory);

    [LoggerMessage(21, LogLevel.Information, "epoch {Epoch}: restart of computation {Computation:x16}, generation {Generation}, {Images} images, session {Session:x16}")]
    public static partial void RestartStarted(ILogger logger, uint epoch, ulong computation, uint generation, uint images, ulong session);

    [LoggerMessage(22, LogLevel.Warning, "epoch {Epoch}: given up in {Phase}: {Reason}")]
    public static partial void RoundFailed(ILogger logger, uint epoch, Phase phase, string reason);

    [LoggerMessage(29, LogLevel.Information, "epoch {Epoch}: put off in {Phase}, to be tried again: {Reason}")]
    public static partial void CheckpointPostponed(ILogger logger, uint epoch, Phase phase, string reason);

    [LoggerMessage(23, LogLevel.Information, "epoch {Epoch}: ending {Members} members, quit={Quit}")]
    public static partial void KillStarted(ILogger logger, uint epoch, int members, bool quit);

    [LoggerMessage(24, LogLevel.Warning, "epoch {Epoch}: the list of generations is not written to {Directory}: {Reason}")]
    public static partial void ManifestNotWritten(ILogger logger, uint epoch, string directory, string reason);

    [LoggerMessage(25, LogLevel.Information, "epoch {Epoch}: generation {Generation} is committed; {Images} images, {Milliseconds:0.0} ms")]
    public static partial void GenerationCommitted(ILogger logger, uint epoch, uint generation, int images, double milliseconds);
}
