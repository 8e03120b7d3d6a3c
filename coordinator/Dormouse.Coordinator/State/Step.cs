using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>What a message tells about its sender, and when it may come.</summary>
/// <param name="Phase">The phase in which it is expected.</param>
/// <param name="Before">What the sender must have finished.</param>
/// <param name="After">What it has finished now.</param>
/// <param name="Doing">What the sender does until it sends this, for the sentence about a deadline.</param>
internal sealed record Step(Phase Phase, Progress Before, Progress After, Trigger? WhenAll, string Doing)
{
    public static readonly Step Suspend = new(Phase.Suspend, Progress.None, Progress.Suspended, Trigger.AllSuspended, "stop its threads");
    public static readonly Step List = new(Phase.Drain, Progress.Suspended, Progress.Listed, null, "list what it shares");
    public static readonly Step Drain = new(Phase.Drain, Progress.Listed, Progress.Drained, Trigger.AllDrained, "capture its pipes and sockets");
    public static readonly Step WriteImage = new(Phase.Write, Progress.Drained, Progress.Written, Trigger.AllWritten, "write its image");
    public static readonly Step Sync = new(Phase.Resume, Progress.Written, Progress.Synced, Trigger.AllSynced, "sync its image");
    public static readonly Step Commit = new(Phase.Commit, Progress.Synced, Progress.Committed, Trigger.AllCommitted, "rename its image");
    public static readonly Step Reopen = new(Phase.Reopen, Progress.None, Progress.Reopened, Trigger.AllReopened, "reopen its files");
    public static readonly Step Reconnect = new(Phase.Reconnect, Progress.Reopened, Progress.Reconnected, Trigger.AllReconnected, "connect its sockets");
    public static readonly Step Refill = new(Phase.Refill, Progress.Reconnected, Progress.Refilled, Trigger.AllRefilled, "refill its pipes and sockets");
    public static readonly Step Resume = new(Phase.Resume, Progress.Refilled, Progress.Resumed, Trigger.AllResumed, "let its threads run");

    private static readonly Step[] s_all = [Suspend, List, Drain, WriteImage, Sync, Commit, Reopen, Reconnect, Refill, Resume];

    /// <summary>What a member that is so far does in this phase; null when it has done its part.</summary>
    public static Step? Of(Phase phase, Progress progress)
    {
        foreach (Step step in s_all)
        {
            if (step.Phase == phase && step.Before == progress) return step;
        }

        return null;
    }

    /// <summary>The step that a <see cref="BarrierReached"/> of this phase ends.</summary>
    /// <exception cref="ProtocolException">This phase is not ended by that message.</exception>
    public static Step OfBarrier(Phase phase) => phase switch
    {
        Phase.Drain => Drain,
        Phase.Write => WriteImage,
        Phase.Reopen => Reopen,
        Phase.Reconnect => Reconnect,
        Phase.Refill => Refill,
        Phase.Resume => Resume,
        _ => throw new ProtocolException($"No barrier is reached in phase {phase}."),
    };
}
