// World: Frozen, restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Writes into a stream whose reader does not read: everything must fit into the two kernel buffers.</summary>
internal static class StreamWriter
{
    private const int PatienceMilliseconds = 50;
    private const int SendBuffer = 7, ReceiveBuffer = 8, SendBufferForce = 32, ReceiveBufferForce = 33;

    /// <summary>0, or -EAGAIN when it does not fit, or another -errno.</summary>
    public static int WriteAll(int writer, int reader, SocketMessage piece)
    {
        int done = 0;
        int error = WriteFrom(writer, piece, ref done);
        if (error == -Errno.TryAgain)
        {
            MakeRoom(writer, SendBuffer, SendBufferForce, piece.Bytes.Length - done);
            MakeRoom(reader, ReceiveBuffer, ReceiveBufferForce, piece.Bytes.Length - done);
            error = WriteFrom(writer, piece, ref done);
        }

        return error;
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

    // The kernel doubles what it is given, for its own bookkeeping. FORCE needs CAP_NET_ADMIN and has no limit.
    private static void MakeRoom(int fd, int option, int force, int bytes)
    {
        int wanted = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, option) + bytes;
        if (SocketCalls.SetInt(fd, Constant.SOL_SOCKET, force, wanted) < 0)
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, option, wanted);
        }
    }
}
