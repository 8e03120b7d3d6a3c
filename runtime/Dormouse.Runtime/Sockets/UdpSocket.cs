// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A UDP socket: its port and whom it is connected to. Unread datagrams are lost, as UDP allows, and named.</summary>
internal sealed class UdpSocket(DescriptorInfo info) : UnboundSocket(info)
{
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);
    private bool _hasUnread;

    public override string Kind => "udp";

    public override string Description => $"{Info.Link} on {SocketName.Text(LocalAddress)}";

    public override string? Loss => _hasUnread ? $"{Name}: UDP datagrams that the program has not read yet are lost at a restart" : null;

    public override unsafe void Capture()
    {
        base.Capture();
        int bytes = 0;
        Kernel.Ioctl(Info.Fd, 0x541B /* FIONREAD */, &bytes);
        _hasUnread = bytes > 0;
    }

    public override void Seal(uint self)
    {
        if (Keeper == self && _peerAddress.Length > 0)
        {
            SocketCalls.Connect(Descriptors[0].Fd, _peerAddress);
        }

        base.Seal(self);
    }
}
