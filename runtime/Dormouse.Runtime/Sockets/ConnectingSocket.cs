// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A TCP socket whose connect(2) has not succeeded yet: it is tried anew.</summary>
/// <remarks>A thread that waits in connect(2) calls it again, and finds the attempt under way: __inet_stream_connect in net/ipv4/af_inet.c.</remarks>
internal sealed class ConnectingSocket(DescriptorInfo info) : UnboundSocket(info)
{
    private byte[] _peerAddress = [];

    public override string Kind => "tcp";

    public override string Description => $"{Info.Link} connecting to {SocketName.Text(_peerAddress)}";

    public override void Capture()
    {
        base.Capture();
        // getpeername(2) tells only of connections that are made.
        byte[] peer = InetDiagnosis.AtPort(Domain, 1 << TcpState.SynSent, LocalAddress.AsSpan(2, 2))
            .Find(one => one.Inode == Info.Status.Inode).Peer ?? [];
        _peerAddress = OldAddresses.ToShown(peer, Protocol, isOwn: false);
    }

    /// <summary>All listening sockets of the computation are back.</summary>
    public override void Seal(uint self)
    {
        if (Keeper == self && _peerAddress.Length > 0)
        {
            Kernel.Fcntl(Descriptors[0].Fd, Constant.F_SETFL, Constant.O_NONBLOCK);
            SocketCalls.Connect(Descriptors[0].Fd, OldAddresses.ToNow(_peerAddress, Protocol));
        }

        base.Seal(self);
    }
}
