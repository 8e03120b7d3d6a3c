// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A listening TCP socket.</summary>
internal sealed class TcpListener(DescriptorInfo info, TcpState state) : ListeningSocket(info, state.Backlog)
{
    public override void Capture()
    {
        // As for connections; what it accepts inherits it. The restart puts back what is captured then.
        PortReuse.Allow(Info.Fd);
        base.Capture();
        if (Queue.HasClientsElsewhere)
        {
            throw Unreadable(state.Waiting);
        }
    }

    protected override void FillQueue()
    {
        // Of multipath TCP the kernel only tells whether there is one.
        if (Protocol != SocketCalls.InternetTcp && (Kernel.PollNow(Info.Fd, Constant.POLLIN) & Constant.POLLIN) != 0)
        {
            throw Unreadable(1);
        }

        if (state.Waiting == 0)
        {
            return;
        }

        const uint States = (1 << TcpState.Established) | (1 << TcpState.CloseWait);
        List<InetDiagnosis> waiting = InetDiagnosis.AtPort(Domain, States, LocalAddress.AsSpan(2, 2)).FindAll(one => one.Inode == 0);
        // Several sockets may listen at one port (SO_REUSEPORT): the kernel does not tell where a connection waits.
        if (waiting.Count != state.Waiting || waiting.Exists(one => one.Unread > 0))
        {
            throw Unreadable(state.Waiting);
        }

        waiting.Sort(Compare);
        foreach (InetDiagnosis one in waiting)
        {
            Queue.Add(new AcceptQueue.Entry(
                TcpAddress.KeyOf(one.Peer, one.Local), TcpAddress.KeyOf(one.Local, one.Peer),
                OldAddresses.ToShown(one.Peer, Protocol, isOwn: true), OldAddresses.ToShown(one.Local, Protocol, isOwn: true), one.State == TcpState.CloseWait));
        }
    }

    // Those that a restart has made; then whose handshake is longest ago; in one tick, whose client's socket was made first.
    private static int Compare(InetDiagnosis a, InetDiagnosis b)
        => AcceptOrder.PlaceOf(a) != AcceptOrder.PlaceOf(b) ? AcceptOrder.PlaceOf(a).CompareTo(AcceptOrder.PlaceOf(b))
            : a.QuietMilliseconds != b.QuietMilliseconds ? b.QuietMilliseconds.CompareTo(a.QuietMilliseconds)
            : ClientInode(a).CompareTo(ClientInode(b));

    private static uint ClientInode(InetDiagnosis server) => InetDiagnosis.Find(server.Peer, server.Local)?.Inode ?? 0;
}
