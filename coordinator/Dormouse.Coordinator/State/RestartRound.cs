using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>One restart.</summary>
internal sealed class RestartRound(Computation computation, Peer client, RestartBegin request) : Round(computation, client)
{
    /// <summary>Further dmrestarts, on other hosts: each wakes a part.</summary>
    private readonly List<Peer> _parts = [];

    public override bool IsRestart => true;

    /// <summary>What members tell each other.</summary>
    public NameService Names { get; } = new(computation.Epoch);

    public override IReadOnlyCollection<Member> Participants => Computation.Members;

    public override void Entered(Phase phase)
    {
        Names.Tell(Participants);
        switch (phase)
        {
            case Phase.Memory:
                Client?.Send(new RestartAccepted(Computation.Epoch));
                return;
            case Phase.Reopen:
                Release(Phase.Memory);
                break;
            case Phase.Reconnect:
                Release(Phase.Reopen);
                break;
            case Phase.Refill:
                Release(Phase.Reconnect);
                break;
            case Phase.Resume:
                Release(Phase.Refill);
                break;
            case Phase.Running:
                Release(Phase.Resume);
                Client?.Send(new RestartDone((uint)Participants.Count));
                foreach (Peer part in _parts) part.Send(new RestartDone((uint)Participants.Count));
                return;
        }

        Client?.Send(new RestartProgress(phase, (uint)Participants.Count));
    }

    /// <summary>One more dmrestart takes part.</summary>
    /// <returns>False: it means another restart.</returns>
    public bool TryAdd(Peer part, in RestartBegin wanted)
    {
        if ((wanted.Computation, wanted.Generation, wanted.ImageCount) != (request.Computation, request.Generation, request.ImageCount)) return false;
        _parts.Add(part);
        part.Send(new RestartAccepted(Computation.Epoch));
        return true;
    }

    public override void Joined(Member member)
    {
        if (Participants.Count == request.ImageCount) Computation.Advance(Trigger.AllWoken);
        else Client?.Send(new RestartProgress(Phase.Memory, (uint)Participants.Count));
    }

    public override void Lost(Member member)
    {
        if (member.Progress == Progress.Resumed) Computation.Consider(Step.Resume);
        else Computation.Fail(FailureKind.Failed, $"{member} ended in phase {Computation.Phase} of the restart.");
    }

    public override void PeerLost(Peer peer)
    {
        bool isFirst = peer == Client, isPart = _parts.Remove(peer);
        base.PeerLost(peer);
        if (isFirst) Computation.Fail(FailureKind.Failed, "dmrestart went away before the restart was done.");
        else if (isPart) Computation.Fail(FailureKind.Failed, "The dmrestart on another host ended before the restart was done.");
    }

    public override void Failed(FailureKind failure, string reason)
    {
        foreach (Member member in Computation.Members)
        {
            member.Peer.Send(new Abort(Computation.Epoch, reason));
            member.Peer.CloseWhenSent();
        }

        Computation.Table.Clear();
        // The reason is said once; what the parts say would come out at the same terminal.
        foreach (Peer part in _parts) Refuse(part, Client is null ? reason : "");
        if (Client is not null) Refuse(Client, reason);

        void Refuse(Peer peer, string why)
        {
            peer.Send(new CommandFailed(failure, why));
            peer.CloseWhenSent();
        }
    }

    public override IEnumerable<string> Missing()
        => Computation.Phase == Phase.Memory
            ? [$"{request.ImageCount - (uint)Participants.Count} of {request.ImageCount} processes to wake"]
            : Unfinished();
}
