// World: Guest and Frozen. Raw system calls; blocks with deadlines.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Coordination;

/// <summary>The connection to the coordinator. Its descriptor has a high number, where programs do not look.</summary>
/// <remarks>A program may close it (closefrom(3)): then the link is lost, and made again.</remarks>
internal sealed unsafe class Link
{
    private const int ConnectMilliseconds = 5000;
    private const int HandshakeMilliseconds = 30000;
    private const int TcpLevel = 6, TcpNoDelay = 1, ReuseAddress = 2;
    private readonly FrameBuffer _received = new();
    private readonly ulong _inode;
    private MessageWriter _writer = new(512);

    private Link(int fd, ulong inode)
    {
        Descriptor = fd;
        _inode = inode;
    }

    public int Descriptor { get; private set; }

    /// <summary>Connects and proves knowledge of the token; the caller then sends its hello.</summary>
    /// <exception cref="LinkLostException">Nobody answers, or the answer is not that of our coordinator.</exception>
    public static Link Open(CoordinatorAddress address)
    {
        byte[] socketAddress = address.SocketAddress();
        if (socketAddress.Length == 0)
        {
            throw new LinkLostException($"{address.Host} is not an IP address");
        }

        int fd = ConnectedSocket(socketAddress);
        Kernel.FStat(fd, out FileStatus status);
        var link = new Link(fd, status.Inode);
        Shim.Self()->LinkPlusOne = (uint)fd + 1;
        try
        {
            link.Handshake(address.Token);
        }
        catch (Exception)
        {
            link.Close();
            throw;
        }

        return link;
    }

    private void Handshake(byte[] token)
    {
        ServerHello server = Expect<ServerHello>(HandshakeMilliseconds);
        byte[] nonce = new byte[TokenProof.NonceBytes];
        fixed (byte* at = nonce)
        {
            Kernel.Call(SystemCall.GetRandom, (long)at, nonce.Length, 0);
        }

        Send(new ClientHello(Role.Member, nonce, TokenProof.Client(token, server.Nonce, nonce, Role.Member)));
        _expectedProof = TokenProof.Server(token, nonce, server.Nonce);
    }

    private byte[] _expectedProof = [];

    /// <summary>Waits for the coordinator's answer to the hello.</summary>
    public Welcome ReceiveWelcome(int timeoutMilliseconds) => Verified(Expect<Welcome>(timeoutMilliseconds));

    /// <summary>Checks that the coordinator knows the token, too.</summary>
    public Welcome Verified(Welcome welcome)
        => TokenProof.Matches(_expectedProof, welcome.Proof)
            ? welcome
            : throw new LinkLostException("the coordinator does not know the token of this computation");

    public void Send<T>(in T message)
        where T : struct, IMessage<T>
    {
        CheckOurs();
        _writer.Clear();
        Frame.Append(ref _writer, message);
        fixed (byte* at = _writer.Written)
        {
            for (int done = 0; done < _writer.Length;)
            {
                long sent = Kernel.Call(SystemCall.SendTo, Descriptor, (long)(at + done), _writer.Length - done, Constant.MSG_NOSIGNAL);
                if (sent == -Errno.TryAgain)
                {
                    WaitFor(Constant.POLLOUT, HandshakeMilliseconds);
                    continue;
                }

                if (sent <= 0)
                {
                    throw new LinkLostException("the coordinator's connection broke: " + Errno.Text(sent));
                }

                done += (int)sent;
            }
        }
    }

    /// <summary>The next frame that is here already, or false.</summary>
    /// <exception cref="LinkLostException">The coordinator has closed the connection.</exception>
    public bool TryReceive(out FrameKind kind, out ReadOnlySpan<byte> payload)
    {
        while (!_received.TryTake(out kind, out payload))
        {
            CheckOurs();
            Span<byte> space = _received.Space(4096).Span;
            long got;
            fixed (byte* at = space)
            {
                got = Kernel.Call(SystemCall.RecvFrom, Descriptor, (long)at, space.Length, Constant.MSG_DONTWAIT);
            }

            if (got == -Errno.TryAgain || got == -Errno.Interrupted)
            {
                return false;
            }

            if (got <= 0)
            {
                throw new LinkLostException("the coordinator has closed the connection");
            }

            _received.Advance((int)got);
        }

        return true;
    }

    /// <summary>Waits for the next frame; false when the time is over. -1: for ever.</summary>
    public bool Receive(int timeoutMilliseconds, out FrameKind kind, out ReadOnlySpan<byte> payload)
    {
        long deadline = timeoutMilliseconds < 0 ? long.MaxValue : Kernel.Clock(Constant.CLOCK_MONOTONIC) + (timeoutMilliseconds * 1_000_000L);
        while (!TryReceive(out kind, out payload))
        {
            long left = timeoutMilliseconds < 0 ? -1 : Math.Max(0, (deadline - Kernel.Clock(Constant.CLOCK_MONOTONIC)) / 1_000_000);
            if (left == 0 || !WaitFor(Constant.POLLIN, (int)left))
            {
                return false;
            }
        }

        return true;
    }

    public void Close()
    {
        if (Descriptor >= 0 && IsOurs())
        {
            Kernel.Close(Descriptor);
        }

        Descriptor = -1;
        Shim.Self()->LinkPlusOne = 0;
    }

    /// <summary>Gives its number to the program, who had it.</summary>
    public void MoveAbove(int floor) => SetDescriptor(DescriptorNumbers.MoveAbove(Descriptor, floor));

    /// <summary>Gives its number to the program, who has these.</summary>
    public void MoveOutOf(List<int> taken) => SetDescriptor(DescriptorNumbers.MoveOutOf(Descriptor, taken));

    /// <summary>In the child of a fork, or in a restored process: the descriptor is not there any more.</summary>
    public void Forget() => Descriptor = -1;

    private void SetDescriptor(int fd)
    {
        Descriptor = fd;
        Shim.Self()->LinkPlusOne = (uint)fd + 1;
    }

    private T Expect<T>(int timeoutMilliseconds)
        where T : struct, IMessage<T>
    {
        if (!Receive(timeoutMilliseconds, out FrameKind kind, out ReadOnlySpan<byte> payload))
        {
            throw new LinkLostException("the coordinator does not answer");
        }

        if (kind == FrameKind.Refused)
        {
            throw new LinkLostException("the coordinator refuses: " + Frame.Read<Refused>(payload).Reason);
        }

        return kind == T.Kind ? Frame.Read<T>(payload) : throw new LinkLostException("the coordinator answers with something else");
    }

    private bool WaitFor(short events, int timeoutMilliseconds)
    {
        long poll = (uint)Descriptor | ((long)events << 32);
        return Kernel.Call(SystemCall.Poll, (long)&poll, 1, timeoutMilliseconds) > 0;
    }

    private void CheckOurs()
    {
        if (!IsOurs())
        {
            throw new LinkLostException("the program has closed the connection");
        }
    }

    private bool IsOurs() => Kernel.FStat(Descriptor, out FileStatus status) == 0 && status.Inode == _inode && status.Type == FileStatus.Socket;

    private static int ConnectedSocket(byte[] address)
    {
        int fd = (int)Kernel.Call(SystemCall.Socket, address[0], Constant.SOCK_STREAM | Constant.SOCK_CLOEXEC | Constant.SOCK_NONBLOCK, 0);
        if (fd < 0)
        {
            throw new LinkLostException("cannot make a socket: " + Errno.Text(fd));
        }

        fd = DescriptorNumbers.Raise(fd);
        long error;
        fixed (byte* at = address)
        {
            error = Kernel.Call(SystemCall.Connect, fd, (long)at, address.Length);
        }

        if (error == -Errno.InProgress)
        {
            error = FinishConnect(fd);
        }

        if (error >= 0 && IsConnectedToItself(fd, address))
        {
            error = -Errno.ConnectionRefused;
        }

        if (error < 0)
        {
            Kernel.Close(fd);
            throw new LinkLostException("cannot connect to the coordinator: " + Errno.Text(error));
        }

        int on = 1;
        Kernel.Call(SystemCall.SetSockOpt, fd, TcpLevel, TcpNoDelay, (long)&on, sizeof(int));
        // The kernel gives our port to connections of the program, too. When all are dead, ours must not keep it (TIME_WAIT).
        Kernel.Call(SystemCall.SetSockOpt, fd, Constant.SOL_SOCKET, ReuseAddress, (long)&on, sizeof(int));
        return fd;
    }

    // Nobody listens, and the kernel gave us the very port that we look for (simultaneous open, RFC 9293 3.5).
    private static bool IsConnectedToItself(int fd, byte[] address)
    {
        int length = address.Length;
        byte[] own = new byte[length];
        fixed (byte* at = own)
        {
            return Kernel.Call(SystemCall.GetSockName, fd, (long)at, (long)&length) == 0 && own.AsSpan().SequenceEqual(address);
        }
    }

    private static long FinishConnect(int fd)
    {
        const int SocketError = 4;
        long poll = (uint)fd | ((long)Constant.POLLOUT << 32);
        if (Kernel.Call(SystemCall.Poll, (long)&poll, 1, ConnectMilliseconds) <= 0)
        {
            return -110;
        }

        int error = 0, length = sizeof(int);
        Kernel.Call(SystemCall.GetSockOpt, fd, Constant.SOL_SOCKET, SocketError, (long)&error, (long)&length);
        return -error;
    }
}
