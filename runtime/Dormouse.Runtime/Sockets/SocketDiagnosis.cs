// World: Frozen. sock_diag(7), netlink(7).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Asks the kernel about sockets, also about those that no process has a descriptor of.</summary>
internal static unsafe class SocketDiagnosis
{
    public const int HeaderBytes = 16;
    private const int NetlinkSockDiag = 4, SockDiagByFamily = 20, SockDestroy = 21, Request = 1, Acknowledge = 4, Dump = 0x300, Done = 3, Error = 2;
    private const int AnswerBytes = 32 * 1024;
    private static int s_netlink = -1;

    /// <summary>Takes one answer, without its struct nlmsghdr.</summary>
    public delegate void Reader(ReadOnlySpan<byte> answer);

    /// <summary>One socket; false when there is none, or the kernel does not tell.</summary>
    /// <param name="request">A family's request, without struct nlmsghdr.</param>
    public static bool Ask(ReadOnlySpan<byte> request, Reader reader) => Exchange(SockDiagByFamily, request, Request, reader);

    /// <summary>All sockets that match.</summary>
    public static void List(ReadOnlySpan<byte> request, Reader reader) => Exchange(SockDiagByFamily, request, Request | Dump, reader);

    /// <summary>Ends one socket, whoever has it. False where the kernel cannot (CONFIG_INET_DIAG_DESTROY), or without CAP_NET_ADMIN.</summary>
    public static bool Destroy(ReadOnlySpan<byte> request) => Exchange(SockDestroy, request, Request | Acknowledge, _ => { });

    /// <summary>At the end of a checkpoint's questions.</summary>
    public static void Close()
    {
        if (s_netlink >= 0)
        {
            Kernel.Close(s_netlink);
            s_netlink = -1;
        }
    }

    private static bool Exchange(int type, ReadOnlySpan<byte> request, int flags, Reader reader)
    {
        if (s_netlink < 0)
        {
            s_netlink = (int)Kernel.Call(SystemCall.Socket, Constant.AF_NETLINK, 3 /* SOCK_RAW */ | Constant.SOCK_CLOEXEC, NetlinkSockDiag);
        }

        // struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port.
        int bytes = HeaderBytes + request.Length;
        byte* message = stackalloc byte[bytes];
        *(int*)message = bytes;
        *(int*)(message + 4) = type | (flags << 16);
        *(long*)(message + 8) = 1;
        request.CopyTo(new Span<byte>(message + HeaderBytes, request.Length));
        return Kernel.Call(SystemCall.SendTo, s_netlink, (long)message, bytes) == bytes && Receive(isList: (flags & Dump) != 0, reader);
    }

    private static bool Receive(bool isList, Reader reader)
    {
        byte* answer = stackalloc byte[AnswerBytes];
        for (; ; )
        {
            int got = (int)Kernel.Call(SystemCall.RecvFrom, s_netlink, (long)answer, AnswerBytes);
            if (got < HeaderBytes)
            {
                return false;
            }

            for (int at = 0; at + HeaderBytes <= got;)
            {
                int length = *(int*)(answer + at), type = *(ushort*)(answer + at + 4);
                if (type is Done or Error || length < HeaderBytes)
                {
                    // struct nlmsgerr begins with the error; 0 acknowledges.
                    return type == Done || (type == Error && *(int*)(answer + at + HeaderBytes) == 0);
                }

                reader(new ReadOnlySpan<byte>(answer + at + HeaderBytes, length - HeaderBytes));
                at += (length + 3) & ~3;
            }

            if (!isList)
            {
                return true;
            }
        }
    }
}
