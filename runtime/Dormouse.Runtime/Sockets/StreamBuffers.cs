// World: Frozen (read), restored process (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>How large the kernel has let the two buffers of one direction of a TCP connection become, as getsockopt(2) shows it; 0: not known.</summary>
/// <remarks>A new connection begins with small ones. What has waited in larger ones must fit into it, and no more than that is to: a stream
/// that nobody reads would otherwise be longer after each restart.</remarks>
internal readonly record struct StreamBuffers(int SendBytes, int ReceiveBytes)
{
    /// <param name="sender">-1: not at hand, and nothing waits in it.</param>
    public static StreamBuffers Of(int sender, int receiver)
        => new(sender < 0 ? 0 : SocketCalls.GetInt(sender, Constant.SOL_SOCKET, SocketBuffers.Send), SocketCalls.GetInt(receiver, Constant.SOL_SOCKET, SocketBuffers.Receive));

    /// <summary>As far as that goes: without CAP_NET_ADMIN to net.core.wmem_max and half of net.ipv4.tcp_rmem. Sizes that the program has fixed stay.</summary>
    public void Restore(int sender, int receiver)
    {
        Enlarge(sender, SocketBuffers.Send, SocketBuffers.SendLocked, SendBytes);
        Enlarge(receiver, SocketBuffers.Receive, SocketBuffers.ReceiveLocked, ReceiveBytes);
        if (SocketCalls.GetInt(receiver, Constant.SOL_SOCKET, SocketBuffers.Receive) < ReceiveBytes)
        {
            ReceiveBuffer.Narrow(receiver, ReceiveBuffer.Widen(receiver, ReceiveBytes / 2));
        }
    }

    private static void Enlarge(int fd, int option, int lockBit, int bytes)
    {
        int locked = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Lock);
        if (locked >= 0 && (locked & lockBit) == 0 && SocketCalls.GetInt(fd, Constant.SOL_SOCKET, option) < bytes)
        {
            SocketBuffers.SetUnfixed(fd, option, bytes / 2);
        }
    }
}
