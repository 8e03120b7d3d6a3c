// World: Frozen (the program must find its options unchanged), restored process.
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Lets a TCP socket receive more than it would: nothing is read, and what the sender's kernel still holds comes over.</summary>
/// <remarks>
/// SO_RCVLOWAT raises the buffer of a socket whose size the program has not fixed, up to the limit of the system (net.ipv4.tcp_rmem)
/// and not to the lower one of SO_RCVBUF: tcp_set_rcvlowat in net/ipv4/tcp.c. SO_BUF_LOCK (Linux 5.14) takes the fixed size off for a while.
/// </remarks>
internal static unsafe class ReceiveBuffer
{
    private const int LowMark = 18;
    private const int QuickAcknowledge = 12;

    /// <summary>What must be put back by <see cref="Narrow"/>.</summary>
    internal readonly record struct Before(int LowMark, int Lock, int Size);

    /// <param name="wanted">Bytes that nobody reads; what does not fit into the option is cut.</param>
    public static Before Widen(int fd, long wanted)
    {
        int bytes = (int)Math.Min(wanted, int.MaxValue / 2);
        var before = new Before(
            SocketCalls.GetInt(fd, Constant.SOL_SOCKET, LowMark),
            SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Lock),
            SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Receive));
        if (IsLocked(before))
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Lock, before.Lock & ~SocketBuffers.ReceiveLocked);
        }

        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, LowMark, bytes);
        if (SocketCalls.GetInt(fd, Constant.SOL_SOCKET, LowMark) < bytes && SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketBuffers.ReceiveForced, bytes * 2) == 0)
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Lock, Math.Max(before.Lock, 0) & ~SocketBuffers.ReceiveLocked);
        }

        TellSender(fd);
        return before;
    }

    public static void Narrow(int fd, Before before)
    {
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, LowMark, before.LowMark);
        if (IsLocked(before))
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketBuffers.Receive, before.Size / 2);
        }
    }

    /// <summary>Makes the kernel announce a window that has grown: also a look at the data does (tcp_cleanup_rbuf).</summary>
    public static void TellSender(int fd)
    {
        if (SocketCalls.Unread(fd) > 0)
        {
            byte any;
            Kernel.Call(SystemCall.RecvFrom, fd, (long)&any, 1, Constant.MSG_PEEK | Constant.MSG_DONTWAIT);
        }
    }

    /// <summary>Sends the acknowledgement that the kernel would delay: the sender then knows that all has come.</summary>
    public static void Acknowledge(int fd)
    {
        // An even number goes back to delaying: __tcp_sock_set_quickack.
        int mode = SocketCalls.GetInt(fd, SocketCalls.InternetTcp, QuickAcknowledge) == 0 ? 2 : 1;
        SocketCalls.SetInt(fd, SocketCalls.InternetTcp, QuickAcknowledge, mode);
    }

    private static bool IsLocked(Before before) => before.Lock > 0 && (before.Lock & SocketBuffers.ReceiveLocked) != 0;
}
