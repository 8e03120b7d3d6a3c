// World: Frozen. All members are suspended; the kernel still delivers.
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// A TCP stream both of whose buffers are full, the receiver's as large as tcp_rmem allows. What is in the sender's can be looked at only when
/// all has been taken out, and then it must go in again. How much fits depends on how it was packed (<see cref="StreamWriter"/>), so that is
/// tried with zeros in a connection that nobody else has, before the program's is touched. The restart will have to do the same.
/// </summary>
/// <param name="near">Of whom reads.</param>
/// <param name="far">Of whom writes.</param>
internal sealed unsafe class FullStream(int near, int far, StreamBuffers buffers, string what)
{
    private const int PieceBytes = 64 * 1024, SlackBytes = 64 * 1024;
    private const uint IsAtMark = 0x8905; // SIOCATMARK, sockatmark(3)
    private const long PatienceNanoseconds = 30_000_000_000;

    /// <returns>All of it, in order.</returns>
    /// <exception cref="CheckpointException">It would not fit again, and nothing has been done; or, against all that was tried, it does not: the connection is no longer usable.</exception>
    public SocketContents Copy()
    {
        CheckThatItFits();
        var contents = SocketContents.OfStream(Take());
        long start = Kernel.Clock(Constant.CLOCK_MONOTONIC);
        int error;
        do
        {
            error = StreamWriter.WriteAll(far, near, contents.Messages);
        }
        while (error == -Errno.TryAgain && Kernel.Clock(Constant.CLOCK_MONOTONIC) - start < PatienceNanoseconds);

        return error == 0
            ? contents
            : throw new CheckpointException($"{what}: unread data of a full TCP connection could not be put back: {Errno.Text(error)}. Raise net.ipv4.tcp_rmem and net.ipv4.tcp_wmem.");
    }

    private void CheckThatItFits()
    {
        (int near, int far) like = TcpPair.MakeAnywhere([], SocketCalls.Domain(near), what);
        int error = StreamWriter.WriteAll(like.far, like.near, Zeros((long)SocketCalls.Unread(near) + SocketCalls.Unsent(far) + SlackBytes), buffers);
        Kernel.Close(like.near);
        Kernel.Close(like.far);
        if (error < 0)
        {
            throw new CheckpointException($"{what}: a full TCP connection has more in its buffers than a new one could be filled with: {Errno.Text(error)}. Try again when the program has read of it, or raise net.ipv4.tcp_rmem.") { IsPassing = true };
        }
    }

    private static List<SocketMessage> Zeros(long bytes)
    {
        CapturedBytes piece = CapturedMemory.Room(PieceBytes);
        var zeros = new List<SocketMessage>();
        for (; bytes > 0; bytes -= piece.Length)
        {
            zeros.Add(new SocketMessage(piece, []));
        }

        return zeros;
    }

    private List<SocketMessage> Take()
    {
        int inline = SocketCalls.GetInt(near, Constant.SOL_SOCKET, SocketCalls.UrgentInline);
        SocketCalls.SetInt(near, Constant.SOL_SOCKET, SocketCalls.UrgentInline, 1);
        var messages = new List<SocketMessage>();
        while (SocketCalls.Unsent(far) > 0 || SocketCalls.Unread(near) > 0)
        {
            // Reading stops at the mark, and goes on behind it.
            int isUrgent = 0;
            Kernel.Ioctl(near, IsAtMark, &isUrgent);
            CapturedBytes room = CapturedMemory.Room(PieceBytes);
            long got = Kernel.Call(SystemCall.RecvFrom, near, (long)room.Pointer, isUrgent != 0 ? 1 : room.Length, Constant.MSG_DONTWAIT);
            if (got > 0)
            {
                messages.Add(new SocketMessage(CapturedMemory.Take((int)got), []) { IsUrgent = isUrgent != 0 });
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

        SocketCalls.SetInt(near, Constant.SOL_SOCKET, SocketCalls.UrgentInline, inline);
        return messages;
    }
}
