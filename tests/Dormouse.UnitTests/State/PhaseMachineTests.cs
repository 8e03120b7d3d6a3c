using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.UnitTests.State;

internal sealed class PhaseMachineTests
{
    private static readonly Dictionary<(Phase, Trigger), Phase> s_transitions = new()
    {
        [(Phase.Running, Trigger.CheckpointRequested)] = Phase.Suspend,
        [(Phase.Suspend, Trigger.AllSuspended)] = Phase.Drain,
        [(Phase.Drain, Trigger.AllDrained)] = Phase.Write,
        [(Phase.Write, Trigger.AllWritten)] = Phase.Resume,
        [(Phase.Resume, Trigger.AllSynced)] = Phase.Commit,
        [(Phase.Commit, Trigger.AllCommitted)] = Phase.Running,
        [(Phase.Running, Trigger.RestartRequested)] = Phase.Memory,
        [(Phase.Memory, Trigger.AllWoken)] = Phase.Reopen,
        [(Phase.Reopen, Trigger.AllReopened)] = Phase.Reconnect,
        [(Phase.Reconnect, Trigger.AllReconnected)] = Phase.Refill,
        [(Phase.Refill, Trigger.AllRefilled)] = Phase.Resume,
        [(Phase.Resume, Trigger.AllResumed)] = Phase.Running,
    };

    [Test]
    public void EveryPair_LeadsWhereTheTableSays_OrIsRefused([Values] Phase phase)
    {
        foreach (Trigger trigger in Enum.GetValues<Trigger>())
        {
            if (s_transitions.TryGetValue((phase, trigger), out Phase next))
                Assert.That(PhaseMachine.Next(phase, trigger), Is.EqualTo(next), $"{phase}, {trigger}");
            else if (trigger == Trigger.Failed && phase != Phase.Running)
                Assert.That(PhaseMachine.Next(phase, trigger), Is.EqualTo(Phase.Running), $"{phase}, {trigger}");
            else
                Assert.That(() => PhaseMachine.Next(phase, trigger), Throws.TypeOf<ProtocolException>(), $"{phase}, {trigger}");
        }
    }
}
