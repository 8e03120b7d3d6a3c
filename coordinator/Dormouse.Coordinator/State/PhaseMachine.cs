using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>The life of a computation as one expression.</summary>
internal static class PhaseMachine
{
    /// <exception cref="ProtocolException">The trigger makes no sense in this phase.</exception>
    public static Phase Next(Phase phase, Trigger trigger) => (phase, trigger) switch
    {
        (Phase.Running, Trigger.CheckpointRequested) => Phase.Suspend,
        (Phase.Suspend, Trigger.AllSuspended) => Phase.Drain,
        (Phase.Drain, Trigger.AllDrained) => Phase.Write,
        (Phase.Write, Trigger.AllWritten) => Phase.Resume,
        (Phase.Resume, Trigger.AllSynced) => Phase.Commit,
        (Phase.Commit, Trigger.AllCommitted) => Phase.Running,

        (Phase.Running, Trigger.RestartRequested) => Phase.Memory,
        (Phase.Memory, Trigger.AllWoken) => Phase.Reopen,
        (Phase.Reopen, Trigger.AllReopened) => Phase.Reconnect,
        (Phase.Reconnect, Trigger.AllReconnected) => Phase.Refill,
        (Phase.Refill, Trigger.AllRefilled) => Phase.Resume,
        (Phase.Resume, Trigger.AllResumed) => Phase.Running,

        ( > Phase.Running, Trigger.Failed) => Phase.Running,
        _ => throw new ProtocolException($"{trigger} is not expected in phase {phase}."),
    };
}
