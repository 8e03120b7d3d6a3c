// World: Frozen.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Decides which class a socket belongs to.</summary>
internal static class SocketKinds
{
    public static OpenFile Classify(DescriptorInfo info)
    {
        (int domain, int type, int protocol) = info.Socket;
        return domain switch
        {
            Constant.AF_UNIX when SocketCalls.IsListening(info.Fd) => new UnixListener(info, UnixDiagnosis.Of(info.Status.Inode)),
            Constant.AF_UNIX when type is Constant.SOCK_STREAM or Constant.SOCK_SEQPACKET => ClassifyUnix(info),
            Constant.AF_UNIX => ClassifyUnixDatagram(info),
            Constant.AF_INET or Constant.AF_INET6 when SocketCalls.IsTcp(protocol) => ClassifyTcp(info),
            Constant.AF_INET or Constant.AF_INET6 when protocol == SocketCalls.InternetUdp => new UdpSocket(info),
            // getaddrinfo(3) asks the kernel for the host's addresses through one, and closes it at once.
            _ => new UnknownFile(info, ForeignSockets.Name(domain, type, protocol)) { IsPassing = domain == Constant.AF_NETLINK },
        };
    }

    private static OpenFile ClassifyUnix(DescriptorInfo info)
    {
        UnixDiagnosis diagnosis = UnixDiagnosis.Of(info.Status.Inode);
        bool isConnected = diagnosis.PeerInode != 0 || diagnosis.Shutdown != 0 || SocketCalls.PeerAddress(info.Fd).Length != 0;
        return isConnected ? new UnixConnection(info, diagnosis) : new UnboundSocket(info);
    }

    // Half of a socketpair(2) is a connection that keeps the boundaries of messages.
    private static OpenFile ClassifyUnixDatagram(DescriptorInfo info)
    {
        UnixDiagnosis diagnosis = UnixDiagnosis.Of(info.Status.Inode);
        bool isHalf = diagnosis.PeerInode != 0 && !SocketName.IsBound(Constant.AF_UNIX, info.SocketAddress)
            && !SocketName.IsBound(Constant.AF_UNIX, SocketCalls.PeerAddress(info.Fd));
        return isHalf ? new UnixConnection(info, diagnosis) : new UnixDatagramSocket(info, diagnosis);
    }

    private static OpenFile ClassifyTcp(DescriptorInfo info)
    {
        TcpState state = TcpState.Of(info.Fd);
        return state switch
        {
            { IsListening: true } => new TcpListener(info, state),
            { IsConnected: true } => new TcpConnection(info, state),
            { IsConnecting: true } => new ConnectingSocket(info),
            { IsClosed: true } when EndedConnection.Is(info.Fd) => new EndedConnection(info, state),
            { IsClosed: true } => new UnboundSocket(info),
            _ => new UnknownFile(info, $"TCP socket in state {state.State}"),
        };
    }
}
