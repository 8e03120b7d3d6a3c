// World: Frozen. struct tcp_info, include/uapi/linux/tcp.h; states: include/net/tcp_states.h.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What TCP_INFO tells of a socket.</summary>
/// <param name="State">TCP_ESTABLISHED 1 … TCP_CLOSING 11.</param>
/// <param name="Waiting">Of a listener: connections not accepted yet (tcpi_unacked).</param>
/// <param name="Backlog">Of a listener: its limit (tcpi_sacked).</param>
/// <param name="WasConnected">A round trip has been measured (tcpi_rtt): it is or was a connection, not only a try.</param>
internal readonly record struct TcpState(int State, int Waiting, int Backlog, bool WasConnected)
{
    public const int Established = 1, SynSent = 2, TimeWait = 6, CloseWait = 8;
    private const int FinWait1 = 4, FinWait2 = 5, Closed = 7, LastAck = 9, Closing = 11;

    public static TcpState Of(int fd)
    {
        const int TcpInfo = 11, InfoBytes = 104, Unacknowledged = 24, SelectivelyAcknowledged = 28, RoundTrip = 68;
        byte[] info = SocketCalls.GetBytes(fd, SocketCalls.InternetTcp, TcpInfo, InfoBytes);
        return info.Length < InfoBytes
            ? default
            : new TcpState(
                info[0], BitConverter.ToInt32(info, Unacknowledged), BitConverter.ToInt32(info, SelectivelyAcknowledged),
                BitConverter.ToInt32(info, RoundTrip) != 0);
    }

    public bool IsConnected => State is Established or FinWait1 or FinWait2 or CloseWait or LastAck or Closing;

    /// <summary>connect(2) has not come to an end yet.</summary>
    public bool IsConnecting => State == SynSent;

    public bool IsClosed => State == Closed;

    /// <summary>This end has shut down sending.</summary>
    public bool HasSentEnd => State is FinWait1 or FinWait2 or TimeWait or LastAck or Closing;

    /// <summary>The other end has closed or shut down sending.</summary>
    public bool HasReceivedEnd => State is CloseWait or LastAck or Closing or TimeWait;
}
