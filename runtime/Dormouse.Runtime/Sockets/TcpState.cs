// World: Frozen. struct tcp_info, include/uapi/linux/tcp.h; states: include/net/tcp_states.h.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What TCP_INFO tells of a socket.</summary>
/// <param name="State">TCP_ESTABLISHED 1 … TCP_CLOSING 11.</param>
/// <param name="Waiting">Of a listener: connections not accepted yet (tcpi_unacked).</param>
/// <param name="Backlog">Of a listener: its limit (tcpi_sacked).</param>
/// <param name="WasConnected">A round trip has been measured (tcpi_rtt): it is or was a connection, not only a try.</param>
/// <param name="QuietMilliseconds">Since the last data came (tcpi_last_data_recv).</param>
/// <param name="Sent">Bytes that the program has written, modulo 2^32; without what marks beginning and end.</param>
/// <param name="Received">Bytes that have come, read or not, modulo 2^32.</param>
/// <param name="IsDelivered">Of a connection: all that was written is acknowledged (no tcpi_unacked, no tcpi_notsent_bytes).</param>
internal readonly record struct TcpState(int State, int Waiting, int Backlog, bool WasConnected, uint QuietMilliseconds, uint Sent, uint Received, bool IsDelivered)
{
    public const int Established = 1, SynSent = 2, TimeWait = 6, CloseWait = 8;
    private const int FinWait1 = 4, FinWait2 = 5, Closed = 7, LastAck = 9, Listening = 10, Closing = 11;
    private const int TcpInfo = 11;

    /// <summary>Of struct tcp_info, as far as it is read.</summary>
    public const int InfoBytes = 216;

    public static TcpState Of(int fd)
    {
        const int OldBytes = 104;
        Span<byte> info = stackalloc byte[InfoBytes];
        int length = Get(fd, info);
        return length < OldBytes ? default : length < InfoBytes ? Read(info) with { Sent = 0, Received = 0, IsDelivered = false } : Read(info);
    }

    /// <summary>getsockopt(2) for struct tcp_info: its length on this kernel, or -errno.</summary>
    public static int Get(int fd, Span<byte> info) => SocketCalls.Get(fd, SocketCalls.InternetTcp, TcpInfo, info);

    /// <param name="info">All of <see cref="InfoBytes"/>.</param>
    public static TcpState Read(ReadOnlySpan<byte> info)
    {
        const int Unacknowledged = 24, SelectivelyAcknowledged = 28, LastData = 52, RoundTrip = 68;
        const int BytesReceived = 128, NotSent = 144, BytesSent = 200, BytesSentAgain = 208;
        var state = new TcpState(
            info[0], BitConverter.ToInt32(info[Unacknowledged..]), BitConverter.ToInt32(info[SelectivelyAcknowledged..]),
            BitConverter.ToInt32(info[RoundTrip..]) != 0, BitConverter.ToUInt32(info[LastData..]),
            (uint)(BitConverter.ToUInt64(info[BytesSent..]) - BitConverter.ToUInt64(info[BytesSentAgain..])) + BitConverter.ToUInt32(info[NotSent..]),
            (uint)BitConverter.ToUInt64(info[BytesReceived..]),
            (BitConverter.ToUInt32(info[Unacknowledged..]) | BitConverter.ToUInt32(info[NotSent..])) == 0);
        // tcp_fin() takes the end of the stream for a byte that has come; retransmissions are counted twice as sent.
        return state.HasReceivedEnd ? state with { Received = state.Received - 1 } : state;
    }

    public bool IsConnected => State is Established or FinWait1 or FinWait2 or CloseWait or LastAck or Closing;

    /// <summary>connect(2) has not come to an end yet.</summary>
    public bool IsConnecting => State == SynSent;

    public bool IsListening => State == Listening;

    public bool IsClosed => State == Closed;

    /// <summary>What has come may not be acknowledged yet: the kernel delays that for 200 ms at most (TCP_DELACK_MAX in include/net/tcp.h).</summary>
    public bool MayOweAcknowledgement => QuietMilliseconds <= 1000;

    /// <summary>This end has shut down sending.</summary>
    public bool HasSentEnd => State is FinWait1 or FinWait2 or TimeWait or LastAck or Closing;

    /// <summary>And that is not acknowledged yet.</summary>
    public bool IsEndOnTheWay => State is FinWait1 or LastAck or Closing;

    /// <summary>The other end has closed or shut down sending.</summary>
    public bool HasReceivedEnd => State is CloseWait or LastAck or Closing or TimeWait;
}
