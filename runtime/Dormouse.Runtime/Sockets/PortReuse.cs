// World: Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// SO_REUSEADDR of the program's TCP sockets. Connections of killed processes stay for a minute (TIME_WAIT), and only when they had it can
/// their ports be bound at once. So the kernel's flag is set, and where the program had not set it a <see cref="Mark"/> as well:
/// the two together mean that the program has 0. docs/decisions/0028.
/// </summary>
/// <remarks>The wrappers in native-shim/src/reuse_address.c show the program its own value. Images hold both as the kernel has them;
/// a socket that is made again has the flag when it is bound, and both are put back like other options.</remarks>
internal static class PortReuse
{
    /// <summary>SO_NOFCS: only packet sockets look at it (net/packet/af_packet.c), but any can have it, and accepted ones inherit it. Sockets of
    /// multipath TCP do not keep it (mptcp_setsockopt_sol_socket in net/mptcp/sockopt.c).</summary>
    public const int Mark = 43;

    /// <summary>From now on; all holders of the socket may do this at the same time.</summary>
    public static void Allow(int fd)
    {
        if (SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress) != 0)
        {
            return;
        }

        // In this order: whoever finds the flag finds the mark.
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, Mark, 1);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress, 1);
    }
}
