// World: Frozen (capture), restored process (restore). All of it while a PacketHold keeps the network out.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>
/// The live state of one TCP connection, whose peer knows nothing of us: taken out of the old socket and put into a new one, so that the
/// next packet is the one that the peer expects.
/// </summary>
internal sealed unsafe class RepairedConnection
{
    private const int Sending = 1;
    private const uint UnsentQueue = 0x894B; // SIOCOUTQNSD
    private readonly TcpState _state;
    private readonly uint _sendStart, _receiveEnd, _clock;
    private readonly byte[] _window, _options;
    private readonly CapturedBytes _sent, _unsent;
    private int _fd;

    private RepairedConnection(int fd, ConnectionEnds ends, TcpState state)
    {
        (_fd, Ends, _state) = (fd, ends, state);
        RepairMode.Choose(fd, RepairMode.ReceiveQueue);
        // The end of a stream has a number of its own, in either direction.
        _receiveEnd = RepairMode.SequenceOf(fd) - (state.HasReceivedEnd ? 1u : 0);
        RepairMode.Choose(fd, RepairMode.SendQueue);
        uint end = RepairMode.SequenceOf(fd) - (state.HasSentEnd ? 1u : 0);
        int queued = SocketCalls.Unsent(fd), unsent = 0;
        Kernel.Ioctl(fd, UnsentQueue, &unsent);
        int endInQueue = state.HasSentEnd && queued > 0 ? 1 : 0;
        CapturedBytes all = PeekSendQueue(fd, queued - endInQueue);
        _sendStart = end - (uint)all.Length;
        int sent = all.Length - Math.Max(unsent - endInQueue, 0);
        (_sent, _unsent) = (all.Slice(0, sent), all.Slice(sent, all.Length - sent));
        _window = RepairMode.ReadWindow(fd);
        _options = AgreedOptions.Read(fd);
        _clock = RepairMode.Clock(fd);
        // What the program has not read is looked at next.
        RepairMode.Choose(fd, RepairMode.ReceiveQueue);
    }

    public ConnectionEnds Ends { get; }

    /// <summary>Reads it. From now on the socket is in repair mode, until <see cref="GoOn"/> or the end of the process.</summary>
    /// <param name="error">Why not: the socket is as it was.</param>
    public static RepairedConnection? Capture(int fd, ConnectionEnds ends, TcpState state, out int error)
    {
        error = RepairMode.Enter(fd);
        if (error < 0)
        {
            return null;
        }

        try
        {
            // A descriptor of our own: it is needed when the program's have been given back.
            return new RepairedConnection(DescriptorNumbers.Raise(Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC)), ends, state);
        }
        catch (CheckpointException)
        {
            RepairMode.Leave(fd);
            throw;
        }
    }

    /// <summary>The program goes on, and so does the connection: nobody has noticed.</summary>
    public void GoOn()
    {
        RepairMode.Leave(_fd);
        Kernel.Close(_fd);
        _fd = -1;
    }

    /// <summary>In the restored process: a socket with this connection, in repair mode.</summary>
    /// <param name="local">As the socket had it, which may be of another family than <see cref="Ends"/>.</param>
    /// <exception cref="CheckpointException">This host cannot have it.</exception>
    public int Reopen(int domain, byte[] local, byte[] peer, uint unread, string what)
    {
        int fd = SocketCalls.Create(domain, Constant.SOCK_STREAM, SocketCalls.InternetTcp);
        Demand(fd, what);
        Demand(RepairMode.Enter(fd), what);
        RepairMode.Choose(fd, RepairMode.SendQueue);
        RepairMode.SetSequence(fd, _sendStart);
        RepairMode.Choose(fd, RepairMode.ReceiveQueue);
        RepairMode.SetSequence(fd, _receiveEnd - unread);
        RepairMode.ChooseNone(fd);
        Demand(SocketCalls.Bind(fd, local), what);
        // In repair mode nothing is sent: the connection is there.
        Demand(SocketCalls.Connect(fd, peer), what);
        Demand(RepairMode.SetOptions(fd, _options), what);
        Demand(RepairMode.SetClock(fd, _clock), what);
        return fd;
    }

    /// <summary>Puts both queues and the windows back.</summary>
    public void Fill(int fd, SocketContents unread, string what)
    {
        ReceiveBuffer.Before narrow = ReceiveBuffer.Widen(fd, (2 * unread.TotalBytes) + (64 * 1024));
        RepairMode.Choose(fd, RepairMode.ReceiveQueue);
        foreach (SocketMessage message in unread.Messages)
        {
            Demand(Put(fd, message.Bytes), what);
        }

        int locked = Math.Max(SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Lock), 0);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketBuffers.SendForced, (2 * (_sent.Length + _unsent.Length)) + (64 * 1024));
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Lock, locked & ~SocketBuffers.SendLocked);
        RepairMode.Choose(fd, RepairMode.SendQueue);
        Demand(Put(fd, _sent), what);
        RepairMode.ChooseNone(fd);
        Demand(RepairMode.SetWindow(fd, WindowWithoutEnd()), what);
        ReceiveBuffer.Narrow(fd, narrow);

        // What was never sent is written as the program did it; the packets do not get out yet.
        RepairMode.Leave(fd);
        Demand(Put(fd, _unsent), what);
        Demand(RepairMode.Enter(fd), what);
    }

    /// <summary>The network is there again.</summary>
    public void WakeUp(int fd)
    {
        RepairMode.LeaveAndProbe(fd);
        if (_state.HasReceivedEnd)
        {
            ForgedEnd.Deliver(Ends, _sendStart, _receiveEnd);
        }

        if (_state.HasSentEnd)
        {
            // It has the number that it had: a peer that knows it already says so.
            SocketCalls.Shutdown(fd, Sending);
        }
    }

    // The peer's last word lies behind the last byte; the kernel takes no update of the window from behind what has come (tcp_repair_set_window).
    private byte[] WindowWithoutEnd()
    {
        const int ReceiveWindow = 12, Updated = 16;
        byte[] window = _window.AsSpan().ToArray();
        uint updated = BitConverter.ToUInt32(window, Updated), beyond = updated - _receiveEnd;
        if ((int)beyond > 0)
        {
            BitConverter.TryWriteBytes(window.AsSpan(Updated), _receiveEnd);
            BitConverter.TryWriteBytes(window.AsSpan(ReceiveWindow), BitConverter.ToUInt32(window, ReceiveWindow) + beyond);
        }

        return window;
    }

    // tcp_peek_sndq in net/ipv4/tcp.c copies whole packets: there must be room for all.
    private static CapturedBytes PeekSendQueue(int fd, int bytes)
    {
        if (bytes == 0)
        {
            return default;
        }

        CapturedBytes room = CapturedMemory.Room(bytes);
        long got = Kernel.Call(SystemCall.RecvFrom, fd, (long)room.Pointer, bytes, Constant.MSG_PEEK | Constant.MSG_DONTWAIT);
        return got == bytes
            ? CapturedMemory.Take(bytes)
            : throw new CheckpointException($"fd {fd}: the kernel shows {got} of the {bytes} bytes that the peer of this TCP connection has not acknowledged. Try again.");
    }

    private static int Put(int fd, CapturedBytes bytes)
    {
        const int FirstPiece = 64 * 1024;
        int piece = FirstPiece;
        for (int done = 0; done < bytes.Length;)
        {
            long put = Kernel.Call(SystemCall.SendTo, fd, (long)(bytes.Pointer + done), Math.Min(piece, bytes.Length - done), Constant.MSG_DONTWAIT | Constant.MSG_NOSIGNAL);
            if (put > 0)
            {
                done += (int)put;
            }
            else if ((piece /= 2) == 0)
            {
                // The kernel finds room for small pieces where it has none for large ones.
                return put < 0 ? (int)put : -Errno.TryAgain;
            }
        }

        return 0;
    }

    private void Demand(int result, string what)
    {
        if (result < 0)
        {
            throw new CheckpointException($"{what}: the TCP connection {Ends} with a peer outside of the computation cannot be taken up again here: {Errno.Text(result)}. {Advice(result)}");
        }
    }

    private static string Advice(int error) => error switch
    {
        -Errno.AddressInUse or -Errno.AddressNotAvailable => "Another socket of this host has this connection; end its program and run dmrestart again.",
        -101 or -113 => "This host has no route to the peer; give it one (ip route) and run dmrestart again.",
        _ => "Run dmrestart again.",
    };
}
