// World: Frozen. All members are suspended; the kernel still delivers.
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// Connections whose receiver is full: part of the stream is still in the sender's kernel, where nobody can look. The receiver's
/// keeper takes all of it out, through both ends, and puts it back at once.
/// </summary>
internal static unsafe class TcpDrain
{
    private const int DeliveryMilliseconds = 20;
    private const int PieceBytes = 64 * 1024;

    /// <summary>Whether bytes stay in the sender although there was time to deliver them (SIOCOUTQ, tcp(7)).</summary>
    public static bool HasStuckBytes(int fd)
    {
        for (int waited = 0; SocketCalls.Unsent(fd) > 0; waited++)
        {
            if (waited == DeliveryMilliseconds)
            {
                return true;
            }

            Kernel.Sleep(1);
        }

        return false;
    }

    /// <summary>The whole stream from <paramref name="far"/> to <paramref name="near"/> that nobody has read.</summary>
    /// <exception cref="CheckpointException">It cannot be put back: the connection is no longer usable.</exception>
    public static SocketContents TakeAndPutBack(int near, int far, string what)
    {
        var pieces = new List<CapturedBytes>();
        while (SocketCalls.Unsent(far) > 0 || Unread(near) > 0)
        {
            CapturedBytes room = CapturedMemory.Room(PieceBytes);
            long got = Kernel.Call(SystemCall.RecvFrom, near, (long)room.Pointer, room.Length, Constant.MSG_DONTWAIT);
            if (got > 0)
            {
                pieces.Add(CapturedMemory.Take((int)got));
            }
            else if (got == -Errno.TryAgain)
            {
                Kernel.Sleep(1);
            }
            else
            {
                break;
            }
        }

        var contents = SocketContents.OfStream(pieces);
        foreach (SocketMessage message in contents.Messages)
        {
            int error = StreamWriter.WriteAll(far, near, message);
            if (error < 0)
            {
                throw new CheckpointException($"{what}: unread data of a full TCP connection could not be put back: {Errno.Text(error)}. Raise net.ipv4.tcp_rmem and net.ipv4.tcp_wmem.");
            }
        }

        return contents;
    }

    private static int Unread(int fd)
    {
        int bytes = 0;
        Kernel.Ioctl(fd, 0x541B /* FIONREAD */, &bytes);
        return bytes;
    }
}
