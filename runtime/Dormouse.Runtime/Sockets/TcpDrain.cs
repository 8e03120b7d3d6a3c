// World: Frozen. All members are suspended; the kernel still delivers.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// Connections whose receiver is full: part of the stream is still in the sender's kernel, where nobody can look. The receiver gets
/// more room; where that is not enough its keeper takes all of it out, through both ends, and puts it back at once: <see cref="FullStream"/>.
/// </summary>
internal static unsafe class TcpDrain
{
    private const int PatienceMilliseconds = 20, RemotePatienceMilliseconds = 500;
    private const int PieceBytes = 64 * 1024;
    private const int MostOverhead = 4;
    private const int Cork = 3, NoDelay = 1;

    /// <summary>Whether the other end's kernel has all that was sent (SIOCOUTQ, tcp(7)); does what speeds that up.</summary>
    public static bool IsDelivered(int fd)
    {
        if (SocketCalls.Unsent(fd) == 0)
        {
            return true;
        }

        Flush(fd, Cork, whenPushed: 0);
        Flush(fd, NoDelay, whenPushed: 1);
        return SocketCalls.Unsent(fd) == 0;
    }

    /// <summary>Widens <paramref name="near"/> until all that <paramref name="far"/> has sent is there. False when it does not take all.</summary>
    public static bool Deliver(int near, int far) => Deliver(near, SocketCalls.Unsent(far), () => SocketCalls.Unsent(far) == 0);

    /// <summary>The same for a sender on another host, who has said how much is missing.</summary>
    public static bool DeliverFrom(int near, int missing, Func<bool> isDone) => Deliver(near, missing, isDone, RemotePatienceMilliseconds);

    /// <summary>The same for a sender whom nobody has any more.</summary>
    /// <param name="unsent">Bytes that it still has to send.</param>
    public static bool DeliverFromClosed(int near, int unsent) => Deliver(near, unsent, () => TcpState.Of(near).HasReceivedEnd);

    private static bool Deliver(int near, int unsent, Func<bool> isDone, int patience = PatienceMilliseconds)
    {
        // A short packet takes the room of a page, so what comes may need some times its length.
        long room = (MostOverhead * ((long)SocketCalls.Unread(near) + unsent)) + PieceBytes;
        ReceiveBuffer.Before before = ReceiveBuffer.Widen(near, room);
        int unread = SocketCalls.Unread(near);
        for (int waited = 0; !isDone() && waited < patience; waited++)
        {
            Kernel.Sleep(1);
            ReceiveBuffer.TellSender(near);
            int now = SocketCalls.Unread(near);
            (unread, waited) = (now, now == unread ? waited : 0);
        }

        ReceiveBuffer.Narrow(near, before);
        return isDone();
    }

    // What waits to be sent together with more, or for an answer to what was sent before, is sent now.
    private static void Flush(int fd, int option, int whenPushed)
    {
        int value = SocketCalls.GetInt(fd, SocketCalls.InternetTcp, option);
        if (value >= 0 && value != whenPushed)
        {
            SocketCalls.SetInt(fd, SocketCalls.InternetTcp, option, whenPushed);
            SocketCalls.SetInt(fd, SocketCalls.InternetTcp, option, value);
        }
    }
}
