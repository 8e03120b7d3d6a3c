// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Sizes of buffers that the program has fixed; others grow and shrink as the kernel thinks right: socket(7), SO_BUF_LOCK (Linux 5.15).</summary>
/// <param name="SendBytes">As getsockopt shows it, which is twice what was set; 0: not fixed.</param>
/// <param name="ReceiveBytes">The same for receiving.</param>
internal readonly record struct SocketBuffers(int SendBytes, int ReceiveBytes)
{
    /// <summary>SO_BUF_LOCK.</summary>
    public const int Lock = 72;

    /// <summary>Bits of <see cref="Lock"/>: the program has fixed the size.</summary>
    public const int SendLocked = 1, ReceiveLocked = 2;

    /// <summary>SO_SNDBUF, SO_RCVBUF, and what sets them without a limit: SO_SNDBUFFORCE, SO_RCVBUFFORCE.</summary>
    public const int Send = 7, Receive = 8, SendForced = 32, ReceiveForced = 33;

    /// <param name="locked">What SO_BUF_LOCK shows.</param>
    public static SocketBuffers Capture(int fd, int locked)
    {
        return locked == 0 ? default : new SocketBuffers(
            (locked & SendLocked) != 0 ? SocketCalls.GetInt(fd, Constant.SOL_SOCKET, Send) : 0,
            (locked & ReceiveLocked) != 0 ? SocketCalls.GetInt(fd, Constant.SOL_SOCKET, Receive) : 0);
    }

    /// <summary>Sets a size, which would fix it: that is taken back, and one that was fixed stays so. Not before Linux 5.15.</summary>
    /// <param name="option"><see cref="Send"/> or <see cref="Receive"/>.</param>
    /// <param name="half">The kernel doubles it.</param>
    /// <returns>Whether that is done.</returns>
    public static bool SetUnfixed(int fd, int option, int half)
    {
        int locked = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, Lock);
        return locked >= 0
            && SocketCalls.SetInt(fd, Constant.SOL_SOCKET, option, half) == 0
            && SocketCalls.SetInt(fd, Constant.SOL_SOCKET, Lock, locked) == 0;
    }

    public void Restore(int fd)
    {
        Restore(fd, Send, SendForced, SendBytes);
        Restore(fd, Receive, ReceiveForced, ReceiveBytes);
    }

    // FORCE needs CAP_NET_ADMIN and has no limit: the program may have had the one, or another limit.
    private static void Restore(int fd, int option, int forced, int bytes)
    {
        if (bytes > 0 && SocketCalls.SetInt(fd, Constant.SOL_SOCKET, option, bytes / 2) == 0 && SocketCalls.GetInt(fd, Constant.SOL_SOCKET, option) < bytes)
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, forced, bytes / 2);
        }
    }
}
