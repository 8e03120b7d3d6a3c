// World: Frozen, restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Writes into a stream whose reader does not read: everything must fit into the two kernel buffers.</summary>
/// <remarks>
/// How much fits depends on how it is packed. The receiver's kernel appends a segment to the one before, and saves its overhead, when the
/// sender's has given that up (tcp_try_coalesce, skb_try_coalesce: not while there is a clone to be sent again): each must be acknowledged
/// before the next comes. And segments that are a part of the largest one leave less of the window unused at the end.
/// </remarks>
internal static class StreamWriter
{
    private const int PatienceMilliseconds = 50, Attempts = 5;
    private const int SlackBytes = 64 * 1024, TcpPieceBytes = 32 * 1024;

    /// <summary>0, or -EAGAIN when it does not fit, or another -errno.</summary>
    /// <param name="buffers">In which all of it has been.</param>
    public static int WriteAll(int writer, int reader, IReadOnlyList<SocketMessage> pieces, StreamBuffers buffers = default)
    {
        // Buffers of AF_UNIX have one fixed size.
        if (!StreamRoom.IsTcp(writer))
        {
            return WriteOnce(writer, reader, pieces);
        }

        buffers.Restore(writer, reader);
        int size = SocketCalls.GetInt(writer, Constant.SOL_SOCKET, SocketBuffers.Send);
        int error = WriteOnce(writer, reader, pieces);
        error = error == -Errno.TryAgain ? WriteWithMoreRoom(writer, reader, pieces) : error;
        StreamRoom.ShrinkSender(writer, size);
        return error;
    }

    private static int WriteWithMoreRoom(int writer, int reader, IReadOnlyList<SocketMessage> pieces)
    {
        long total = TotalBytes(pieces);
        ReceiveBuffer.Before narrow = ReceiveBuffer.Widen(reader, total + SlackBytes);
        int error = -Errno.TryAgain;
        for (int attempt = 0; error == -Errno.TryAgain && attempt < Attempts; attempt++)
        {
            StreamRoom.Grow(writer, reader, total);
            error = WriteOnce(writer, reader, pieces);
        }

        ReceiveBuffer.Narrow(reader, narrow);
        return error;
    }

    private static long TotalBytes(IReadOnlyList<SocketMessage> pieces)
    {
        long total = 0;
        foreach (SocketMessage piece in pieces)
        {
            total += piece.Bytes.Length;
        }

        return total;
    }

    private static int WriteOnce(int writer, int reader, IReadOnlyList<SocketMessage> pieces)
    {
        bool isTcp = StreamRoom.IsTcp(writer);
        long left = TotalBytes(pieces);
        foreach (SocketMessage piece in pieces)
        {
            int done = 0;
            int error = WriteFrom(writer, reader, isTcp, piece, ref done);
            if (error == -Errno.TryAgain && MakeRoom(writer, reader, isTcp, left - done))
            {
                error = WriteFrom(writer, reader, isTcp, piece, ref done);
            }

            if (error < 0)
            {
                return error;
            }

            left -= piece.Bytes.Length;
        }

        return 0;
    }

    private static int WriteFrom(int writer, int reader, bool isTcp, SocketMessage piece, ref int done)
    {
        int waited = 0;
        while (done < piece.Bytes.Length)
        {
            int sent = MessageSender.SendFrom(writer, piece, done, [], isTcp ? TcpPieceBytes : int.MaxValue);
            if (sent > 0)
            {
                done += sent;
                waited = 0;
                if (isTcp)
                {
                    ReceiveBuffer.Acknowledge(reader);
                }
            }
            else if (sent == -Errno.TryAgain && waited < PatienceMilliseconds)
            {
                // The kernel moves bytes from the sender's buffer to the receiver's in its own time.
                Kernel.Sleep(1);
                waited++;
            }
            else
            {
                return sent;
            }
        }

        return 0;
    }

    // FORCE needs CAP_NET_ADMIN and has no limit. Without it SO_RCVBUF would fix the size, and below what TCP takes by itself; of the sender's there may be more to have.
    private static bool MakeRoom(int writer, int reader, bool isTcp, long bytes)
        => ForceRoom(writer, reader, bytes) || (isTcp && StreamRoom.GrowSender(writer, bytes));

    private static bool ForceRoom(int writer, int reader, long bytes)
        => Force(writer, SocketBuffers.SendForced, SocketBuffers.Send, bytes) && Force(reader, SocketBuffers.ReceiveForced, SocketBuffers.Receive, bytes);

    private static bool Force(int fd, int forced, int option, long bytes)
        => SocketCalls.SetInt(fd, Constant.SOL_SOCKET, forced, (int)Math.Min(SocketCalls.GetInt(fd, Constant.SOL_SOCKET, option) + bytes, int.MaxValue / 2)) == 0;
}
