// World: Frozen. struct tcp_info, include/uapi/linux/tcp.h; states: include/net/tcp_states.h.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What TCP_INFO tells of a socket.</summary>
/// <param name="State">TCP_ESTABLISHED 1 … TCP_CLOSING 11.</param>
/// <param name="Waiting">Of a listener: connections not accepted yet (tcpi_unacked).</param>
/// <param name="Backlog">Of a listener: its limit (tcpi_sacked).</param>
internal readonly record struct TcpState(int State, int Waiting, int Backlog)
{
    private const int Established = 1, FinWait1 = 4, FinWait2 = 5, TimeWait = 6, CloseWait = 8, LastAck = 9, Closing = 11;

    public static TcpState Of(int fd)
    {
        const int TcpInfo = 11, InfoBytes = 104;
        byte[] info = SocketCalls.GetBytes(fd, SocketCalls.InternetTcp, TcpInfo, InfoBytes);
        return info.Length < 32 ? default : new TcpState(info[0], BitConverter.ToInt32(info, 24), BitConverter.ToInt32(info, 28));
    }

    public bool IsConnected => State is Established or FinWait1 or FinWait2 or CloseWait or LastAck or Closing;

    /// <summary>This end has shut down sending.</summary>
    public bool HasSentEnd => State is FinWait1 or FinWait2 or TimeWait or LastAck or Closing;

    /// <summary>The other end has closed or shut down sending.</summary>
    public bool HasReceivedEnd => State is CloseWait or LastAck or Closing or TimeWait;
}
