// World: Frozen, restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Writes into a stream whose reader does not read: everything must fit into the two kernel buffers.</summary>
internal static class StreamWriter
{
    private const int PatienceMilliseconds = 50, Attempts = 5;
    private const int SlackBytes = 64 * 1024;

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
        int error = WriteOnce(writer, reader, pieces);
        return error == -Errno.TryAgain ? WriteWithMoreRoom(writer, reader, pieces) : error;
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
        foreach (SocketMessage piece in pieces)
        {
            int done = 0;
            int error = WriteFrom(writer, piece, ref done);
            if (error == -Errno.TryAgain && MakeRoom(writer, reader, piece.Bytes.Length - done))
            {
                error = WriteFrom(writer, piece, ref done);
            }

            if (error < 0)
            {
                return error;
            }
        }

        return 0;
    }

    private static int WriteFrom(int writer, SocketMessage piece, ref int done)
    {
        int waited = 0;
        while (done < piece.Bytes.Length)
        {
            int sent = MessageSender.SendFrom(writer, piece, done, []);
            if (sent > 0)
            {
                done += sent;
                waited = 0;
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

    // FORCE needs CAP_NET_ADMIN and has no limit. Without it SO_RCVBUF would fix the size, and below what TCP takes by itself.
    private static bool MakeRoom(int writer, int reader, int bytes)
        => SocketCalls.SetInt(writer, Constant.SOL_SOCKET, SocketBuffers.SendForced, SocketCalls.GetInt(writer, Constant.SOL_SOCKET, SocketBuffers.Send) + bytes) == 0
            && SocketCalls.SetInt(reader, Constant.SOL_SOCKET, SocketBuffers.ReceiveForced, SocketCalls.GetInt(reader, Constant.SOL_SOCKET, SocketBuffers.Receive) + bytes) == 0;
}
