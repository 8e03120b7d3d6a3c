// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// A TCP socket whose connection is over: ended in order by both sides, reset, or refused. What had come can still be read, and an error
/// that the program has not seen yet is still to be reported.
/// </summary>
/// <remarks>Nobody else has a part in it: the keeper makes a new connection with itself, and ends it in the same way.</remarks>
internal sealed class EndedConnection(DescriptorInfo info, TcpState state) : UnboundSocket(info)
{
    private const int Linger = 13, SocketError = 4, Sending = 1;
    private const short PeerClosed = 0x2000; // POLLRDHUP
    private readonly bool _hasError = (Kernel.PollNow(info.Fd) & Constant.POLLERR) != 0;
    private SocketContents? _contents;
    private int _far = -1;

    public override string Kind => "tcp";

    public override string Description => $"{Info.Link}, a connection that is over";

    /// <summary>A socket that never was connected has no end to read.</summary>
    public static bool Is(int fd) => (Kernel.PollNow(fd, PeerClosed) & PeerClosed) != 0;

    public override void CaptureContents(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self)
        {
            _contents = SocketContents.PeekTcp(Info.Fd, Options);
        }
    }

    public override int Reopen()
    {
        if (!state.WasConnected)
        {
            return base.Reopen();
        }

        (int near, int far) = TcpPair.MakeAnywhere(OldAddresses.ToNow(ShownAddress), Domain, Name);
        _far = far < 0 ? far : DescriptorNumbers.Raise(far);
        return near;
    }

    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (Keeper != self)
        {
            return;
        }

        int near = Descriptors[0].Fd;
        Options.RestoreBeforeUse(near);
        if (!state.WasConnected)
        {
            SocketName.BindShown(near, Domain, Protocol, ShownAddress, Name);
            Refuse(near);
        }
        else
        {
            _contents!.Feed(_far, near);
            End(near);
        }

        if (!_hasError)
        {
            SocketCalls.GetInt(near, Constant.SOL_SOCKET, SocketError);
        }
    }

    private void End(int near)
    {
        if (_hasError)
        {
            SocketCalls.SetBytes(_far, Constant.SOL_SOCKET, Linger, [1, 0, 0, 0, 0, 0, 0, 0]);
        }
        else
        {
            SocketCalls.Shutdown(_far, Sending);
            SocketCalls.Shutdown(near, Sending);
        }

        Kernel.Close(_far);
        _far = -1;
    }

    // Nobody listens at a port that is only bound.
    private void Refuse(int fd)
    {
        int nobody = SocketCalls.Create(Domain, Constant.SOCK_STREAM, SocketCalls.InternetTcp);
        SocketCalls.Bind(nobody, TcpAddress.Loopback(Domain));
        Kernel.Fcntl(fd, Constant.F_SETFL, Constant.O_NONBLOCK);
        SocketCalls.Connect(fd, SocketCalls.LocalAddress(nobody));
        Kernel.Close(nobody);
    }
}
