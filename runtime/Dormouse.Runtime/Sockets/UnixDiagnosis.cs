// World: Frozen. Netlink sock_diag(7), include/uapi/linux/unix_diag.h.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What only sock_diag tells about an AF_UNIX socket.</summary>
/// <param name="PeerInode">The connected socket, or 0.</param>
/// <param name="Shutdown">1 receiving, 2 sending is shut down.</param>
/// <param name="Backlog">Of a listening socket.</param>
/// <param name="Waiting">Connections in the queue of a listening socket.</param>
internal readonly record struct UnixDiagnosis(uint PeerInode, byte Shutdown, int Backlog, int Waiting)
{
    private const int NetlinkSockDiag = 4, SockDiagByFamily = 20, Request = 1;
    private const uint ShowPeer = 4, ShowQueue = 16;
    private const int AttributePeer = 2, AttributeQueue = 4, AttributeShutdown = 6;

    /// <summary>Asks about the socket with this inode; default when the kernel does not tell.</summary>
    public static unsafe UnixDiagnosis Of(ulong inode)
    {
        int netlink = (int)Kernel.Call(SystemCall.Socket, Constant.AF_NETLINK, 3 /* SOCK_RAW */ | Constant.SOCK_CLOEXEC, NetlinkSockDiag);
        if (netlink < 0)
        {
            return default;
        }

        // struct nlmsghdr: u32 length, u16 type, flags, u32 sequence, pid; struct unix_diag_req: u8 family, protocol, u16 pad,
        // u32 states, inode, show, cookie[2].
        uint* request = stackalloc uint[10];
        request[0] = 40;
        request[1] = SockDiagByFamily | (Request << 16);
        request[2] = 1;
        request[3] = 0;
        request[4] = Constant.AF_UNIX;
        request[5] = uint.MaxValue;
        request[6] = (uint)inode;
        request[7] = ShowPeer | ShowQueue;
        request[8] = request[9] = uint.MaxValue;
        byte* answer = stackalloc byte[8192];
        long got = Kernel.Call(SystemCall.SendTo, netlink, (long)request, 40) < 0
            ? 0
            : Kernel.Call(SystemCall.RecvFrom, netlink, (long)answer, 8192);
        Kernel.Close(netlink);
        return got > 32 && *(ushort*)(answer + 4) == SockDiagByFamily ? Parse(new ReadOnlySpan<byte>(answer, (int)got)) : default;
    }

    // After nlmsghdr (16) and struct unix_diag_msg (16): attributes, u16 length, type, value, aligned to 4.
    private static UnixDiagnosis Parse(ReadOnlySpan<byte> answer)
    {
        var result = default(UnixDiagnosis);
        for (ReadOnlySpan<byte> rest = answer[32..]; rest.Length >= 4;)
        {
            int length = BitConverter.ToUInt16(rest), type = BitConverter.ToUInt16(rest[2..]);
            if (length < 4 || length > rest.Length)
            {
                break;
            }

            ReadOnlySpan<byte> value = rest[4..length];
            result = type switch
            {
                AttributePeer => result with { PeerInode = BitConverter.ToUInt32(value) },
                AttributeQueue => result with { Waiting = BitConverter.ToInt32(value), Backlog = BitConverter.ToInt32(value[4..]) },
                AttributeShutdown => result with { Shutdown = value[0] },
                _ => result,
            };
            int step = (length + 3) & ~3;
            rest = step < rest.Length ? rest[step..] : [];
        }

        return result;
    }
}
