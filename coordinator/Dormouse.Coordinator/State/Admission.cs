using Dormouse.Coordinator.Logging;
using Dormouse.Protocol;
using Microsoft.Extensions.Logging;

namespace Dormouse.Coordinator.State;

/// <summary>Who becomes a member, when, and under which number.</summary>
internal sealed class Admission(Computation computation, ILogger logger)
{
    private readonly List<Newcomer> _waiting = [];

    private MemberTable Table => computation.Table;

    /// <summary>Somebody was a member once.</summary>
    public bool WasUsed { get; private set; }

    /// <summary>A peer that knows the token wants to be a member. It is answered now, or when the checkpoint under way is over.</summary>
    public void Join(Newcomer newcomer)
    {
        MemberHello hello = newcomer.Hello;
        if (computation.Commands.Contains(new ProcessIdentity(hello.HostId, hello.Pid))) Refuse(newcomer, "A command of Dormouse is no member.");
        else if ((hello.Flags & MemberFlags.Restarted) != 0) JoinRestarted(newcomer);
        else if (computation.Round is null || (!computation.Round.IsRestart && computation.Phase == Phase.Suspend)) JoinRunning(newcomer);
        else _waiting.Add(newcomer);
    }

    /// <summary>The checkpoint or restart is over.</summary>
    public void AdmitWaiting()
    {
        if (computation.Round is not null) return;
        Newcomer[] waiting = [.. _waiting];
        _waiting.Clear();
        foreach (Newcomer newcomer in waiting) Join(newcomer);
    }

    public void Forget(Peer peer) => _waiting.RemoveAll(newcomer => newcomer.Peer == peer);

    /// <summary>Those who wait need not come in: all are being ended.</summary>
    public void SendAwayWaiting()
    {
        foreach (Newcomer newcomer in _waiting) newcomer.Peer.CloseWhenSent();
    }

    private void JoinRestarted(Newcomer newcomer)
    {
        MemberHello hello = newcomer.Hello;
        if (computation.Round is not { IsRestart: true } || computation.Phase != Phase.Memory || hello.Computation != computation.Number)
            Refuse(newcomer, "This coordinator is not restarting that computation.");
        else if (Table.Contains(hello.Member))
            computation.Fail(FailureKind.Failed, $"Two images claim to be process {hello.Member} of the computation. Give each image once.");
        else
            Admit(newcomer, hello.Member);
    }

    private void JoinRunning(Newcomer newcomer)
    {
        MemberHello hello = newcomer.Hello;
        if ((hello.Flags & MemberFlags.Rejoining) == 0)
        {
            Admit(newcomer, 0);
            return;
        }

        // The first member that comes to a coordinator which was started in place of a dead one says what the computation is.
        if (hello.Computation != computation.Number && !WasUsed) computation.TakeUp(hello.Computation, hello.Generation);
        computation.Store.NoteNumber(hello.Generation);
        if (hello.Computation != computation.Number) Refuse(newcomer, "This coordinator has another computation now.");
        else Admit(newcomer, hello.Member);
    }

    /// <param name="number">The one it had, or 0.</param>
    private void Admit(Newcomer newcomer, uint number)
    {
        ProcessIdentity identity = new(newcomer.Hello.HostId, newcomer.Hello.Pid);

        // After an exec, or when a connection broke, the new one may be seen before the end of the old one.
        Member? former = Table.Of(identity);
        if (former is not null)
        {
            former.Peer.CloseWhenSent();
            Table.Remove(former);
        }

        computation.Absentees.Remove(identity);
        Member member = new(Table.TakeNumber(number), newcomer.Hello, newcomer.Peer);
        Table.Add(member);
        WasUsed = true;
        MemberLog.MemberJoined(logger, computation.Epoch, member.Id, member, newcomer.Hello.Flags);
        newcomer.Peer.Send(new Welcome(newcomer.Proof, member.Id, computation.Number, computation.Epoch));
        if (computation.Endings.IsKilling) newcomer.Peer.Send(default(KillRequested));
        computation.Round?.Joined(member);
        if (former is not null && former.Progress != Progress.None) computation.Round?.Lost(former);
    }

    private void Refuse(Newcomer newcomer, string reason)
    {
        MemberLog.MemberRefused(logger, newcomer.Hello.Pid, newcomer.Hello.Program, newcomer.Hello.HostName, reason);
        newcomer.Peer.Send(new Refused(reason));
        newcomer.Peer.CloseWhenSent();
    }
}
