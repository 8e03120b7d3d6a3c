// World: Frozen, restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// Makes the buffers of a TCP connection as large as those of one that has been busy: the kernel lets them grow, up to tcp_rmem and
/// tcp_wmem, while much is sent and read at once (tcp(7), receive buffer moderation); no option sets more than rmem_max.
/// </summary>
internal static unsafe class StreamRoom
{
    private const int RoundBytes = 1 << 20;
    private const long PatienceNanoseconds = 1_000_000_000;

    public static bool IsTcp(int fd) => SocketCalls.Protocol(fd) == SocketCalls.InternetTcp;

    /// <summary>Both ends are here and nobody else uses them. Empties the stream, whose contents the caller has.</summary>
    /// <param name="wanted">What is to fit into the stream, bytes. How fast buffers grow depends on the moment; a second try goes on.</param>
    public static void Grow(int writer, int reader, long wanted)
    {
        // A size that was set once is not moderated any more (SO_BUF_LOCK, Linux 5.15); options come back later.
        SocketCalls.SetInt(writer, Constant.SOL_SOCKET, SocketBuffers.Lock, 0);
        SocketCalls.SetInt(reader, Constant.SOL_SOCKET, SocketBuffers.Lock, 0);
        long deadline = Kernel.Clock(Constant.CLOCK_MONOTONIC) + PatienceNanoseconds;
        byte[] buffer = new byte[RoundBytes];
        fixed (byte* at = buffer)
        {
            Empty(writer, reader, at, deadline);
            while (SocketCalls.GetInt(reader, Constant.SOL_SOCKET, SocketBuffers.Receive) < wanted && Kernel.Clock(Constant.CLOCK_MONOTONIC) < deadline)
            {
                while (Kernel.Call(SystemCall.SendTo, writer, (long)at, RoundBytes, Constant.MSG_NOSIGNAL | Constant.MSG_DONTWAIT) > 0)
                {
                }

                Empty(writer, reader, at, deadline);
            }

            Empty(writer, reader, at, deadline + PatienceNanoseconds);
        }
    }

    private static void Empty(int writer, int reader, byte* buffer, long deadline)
    {
        for (; ; )
        {
            long got = Kernel.Call(SystemCall.RecvFrom, reader, (long)buffer, RoundBytes, Constant.MSG_DONTWAIT);
            if (got == -Errno.TryAgain && SocketCalls.Unsent(writer) > 0 && Kernel.Clock(Constant.CLOCK_MONOTONIC) < deadline)
            {
                Kernel.Sleep(1);
            }
            else if (got <= 0)
            {
                return;
            }
        }
    }
}
