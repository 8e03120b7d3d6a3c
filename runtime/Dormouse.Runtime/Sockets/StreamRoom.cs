// World: Frozen, restored process.
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// Makes the buffers of a TCP connection as large as those of one that has been busy: the kernel lets them grow, up to tcp_rmem and
/// tcp_wmem, while much is sent and read at once (tcp(7), receive buffer moderation); no option sets more than rmem_max.
/// </summary>
internal static unsafe class StreamRoom
{
    // Rounds after which a size that does not grow has reached what tcp_rmem allows.
    private const int RoundBytes = 1 << 20, MostIdleRounds = 50;
    private const int OverheadPart = 16, SegmentsBytes = 128 * 1024;
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
            int size = SocketCalls.GetInt(reader, Constant.SOL_SOCKET, SocketBuffers.Receive), rounds = 0;
            while (size < wanted && rounds < MostIdleRounds && Kernel.Clock(Constant.CLOCK_MONOTONIC) < deadline)
            {
                while (Kernel.Call(SystemCall.SendTo, writer, (long)at, RoundBytes, Constant.MSG_NOSIGNAL | Constant.MSG_DONTWAIT) > 0)
                {
                }

                Empty(writer, reader, at, deadline);
                int now = SocketCalls.GetInt(reader, Constant.SOL_SOCKET, SocketBuffers.Receive);
                (size, rounds) = (now, now > size ? 0 : rounds + 1);
            }

            Empty(writer, reader, at, deadline + PatienceNanoseconds);
        }
    }

    /// <summary>Lets the sender's buffer hold so much more, as far as net.core.wmem_max allows. <see cref="ShrinkSender"/> takes it back.</summary>
    /// <returns>Whether it holds more now, also when the program has fixed its size.</returns>
    public static bool GrowSender(int writer, long bytes)
    {
        // What is asked for is doubled, and cut to the limit before that: socket(7). A full buffer is more than full already.
        int size = SocketCalls.GetInt(writer, Constant.SOL_SOCKET, SocketBuffers.Send);
        long half = Math.Min((size + bytes + (bytes / OverheadPart) + SegmentsBytes) / 2, LimitOfSender());
        return 2 * half > size && SocketBuffers.SetUnfixed(writer, SocketBuffers.Send, (int)half);
    }

    /// <param name="size">What it was, as getsockopt(2) shows it.</param>
    public static void ShrinkSender(int writer, int size)
    {
        if (SocketCalls.GetInt(writer, Constant.SOL_SOCKET, SocketBuffers.Send) > size && size / 2 <= LimitOfSender())
        {
            SocketBuffers.SetUnfixed(writer, SocketBuffers.Send, size / 2);
        }
    }

    private static long LimitOfSender()
        => long.TryParse(ProcFile.ReadText("/proc/sys/net/core/wmem_max").TrimEnd(), CultureInfo.InvariantCulture, out long limit) ? limit : 0;

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
