// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A UDP socket: its port, whom it is connected to, and the datagrams that the program has not read.</summary>
internal sealed class UdpSocket(DescriptorInfo info) : UnboundSocket(info)
{
    private byte[] _shownPeer = [];
    private readonly List<byte[]> _shownSenders = [];
    private SocketContents? _unread;
    private int _strangers;

    public override string Kind => "udp";

    public override string Description => $"{Info.Link} on {SocketName.Text(LocalAddress)}";

    public override string? Loss => _strangers > 0
        ? $"{Name}: {_strangers} UDP datagrams from other hosts that the program has not read yet are lost at a restart"
        : base.Loss;

    public override void Capture()
    {
        base.Capture();
        _shownPeer = OldAddresses.ToShown(SocketCalls.PeerAddress(Info.Fd), Protocol, isOwn: false);
        if (Keeper != Worker.Current.Member)
        {
            return;
        }

        _unread = SocketContents.Peek(Info.Fd, false);
        _unread.CheckIsComplete(this);
        foreach (SocketMessage message in _unread.Messages)
        {
            _shownSenders.Add(OldAddresses.ToShown(message.Sender, Protocol, isOwn: false));
            _strangers += UdpSender.CanBe(message.Sender, Domain) ? 0 : 1;
        }
    }

    /// <summary>While the sockets come back several may have one port; so what waits is sent anew from the ports of its senders.</summary>
    public override void Fill(uint self, DescriptorExchange exchange)
    {
        base.Fill(self, exchange);
        if (Keeper == self)
        {
            int lost = 0, error = 0, patience = UdpSender.PatienceMilliseconds;
            for (int i = 0; i < _shownSenders.Count; i++)
            {
                int result = UdpSender.Send(_unread!.Messages[i], OldAddresses.ToNow(_shownSenders[i]), Descriptors[0].Fd, Domain, ref patience);
                (lost, error) = result < 0 ? (lost + 1, result) : (lost, error);
            }

            if (lost > _strangers)
            {
                RestartStdio.WarnOfProcess($"{Name}: {lost} unread UDP datagrams are lost: {Errno.Text(error)}");
            }
        }
    }

    public override void Seal(uint self)
    {
        if (Keeper == self && _shownPeer.Length > 0)
        {
            SocketCalls.Connect(Descriptors[0].Fd, OldAddresses.ToNow(_shownPeer, Protocol));
        }

        base.Seal(self);
    }
}
