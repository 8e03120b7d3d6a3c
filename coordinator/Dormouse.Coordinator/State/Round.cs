using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>One checkpoint or one restart: what is sent when a phase begins, and what the loss of somebody means.</summary>
internal abstract class Round(Computation computation, Peer? client)
{
    private Step? _counted;
    private int _finished;

    protected Computation Computation { get; } = computation;

    /// <summary>Who asked for it and still listens.</summary>
    public Peer? Client { get; private set; } = client;

    public TimeSpan StartedAt { get; } = computation.Now;

    /// <summary>Those whose progress counts.</summary>
    public abstract IReadOnlyCollection<Member> Participants { get; }

    public abstract bool IsRestart { get; }

    /// <summary>When <see cref="Look"/> wants to be called next, whatever else happens.</summary>
    public virtual TimeSpan NextLook => Timeout.InfiniteTimeSpan;

    /// <summary>The computation has entered <paramref name="phase"/>: send what begins it.</summary>
    public abstract void Entered(Phase phase);

    /// <summary>A member has joined while new ones are welcome.</summary>
    public abstract void Joined(Member member);

    /// <summary>The connection of a member is gone; it is no longer among the computation's members.</summary>
    public abstract void Lost(Member member);

    /// <summary>All participants have finished a step that ends no phase.</summary>
    public virtual void AllFinished(Step step)
    {
    }

    /// <summary>Checks what no message announces.</summary>
    public virtual void Look()
    {
    }

    /// <summary>It has failed, and the computation runs again (or is gone): tell everybody.</summary>
    public abstract void Failed(FailureKind failure, string reason);

    /// <summary>It has waited for a while, and waiting longer is no use.</summary>
    public virtual bool IsHopeless => false;

    /// <summary>Whom the current phase waits for, in words.</summary>
    public abstract IEnumerable<string> Missing();

    /// <summary>A connection is gone; it may be that of somebody who waits for the end.</summary>
    public virtual void PeerLost(Peer peer)
    {
        if (peer == Client) Client = null;
    }

    /// <summary>Counts those who have finished this step, the ones who are gone since included.</summary>
    public int CountFinished(Step step)
    {
        if (_counted != step) (_counted, _finished) = (step, 0);
        return ++_finished;
    }

    protected void Release(Phase phase)
    {
        foreach (Member member in Participants) member.Peer.Send(new BarrierReleased(Computation.Epoch, phase));
    }

    /// <summary>The participants whom the others wait for: those who are furthest behind.</summary>
    protected IEnumerable<string> Unfinished()
    {
        Progress least = Participants.Count == 0 ? Progress.None : Participants.Min(member => member.Progress);
        if (Step.Of(Computation.Phase, least) is not { } step) yield break;
        foreach (Member member in Participants)
        {
            if (member.Progress == least) yield return $"{member} to {step.Doing}{ProcessIdentity.WhySilentIf(member.IsStopped)}";
        }
    }
}
