// World: Frozen (CanBe), restored process (Send).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Sends a datagram once more as if it came from its old sender: a socket bound to the sender's name for a moment.</summary>
/// <remarks>Names of other hosts can be taken with CAP_NET_ADMIN or CAP_NET_RAW: IP_TRANSPARENT, ip(7).</remarks>
internal static class UdpSender
{
    private const int Ip = 0, Transparent = 19, Ipv6 = 41, Ipv6Transparent = 75;

    /// <summary>How long all unread datagrams of a socket may take to come.</summary>
    public const int PatienceMilliseconds = 1000;

    /// <summary>Whether datagrams can be sent under a name.</summary>
    public static bool CanBe(byte[] sender, int domain)
    {
        byte[] address = sender.AsSpan().ToArray();
        (address[2], address[3]) = (0, 0);
        int fd = Bound(address, domain);
        Kernel.Close(fd);
        return fd >= 0;
    }

    /// <summary>0, or -errno: a datagram that cannot be sent is lost, as UDP may lose any. It has come when this is done.</summary>
    /// <param name="sender">Where that is now.</param>
    /// <param name="receiver">A bound socket, not connected yet. It is connected to the sender meanwhile: when several sockets have its
    /// port, the kernel gives the datagram to the connected one.</param>
    /// <param name="patience">Milliseconds that are left to wait until it has come.</param>
    public static int Send(SocketMessage message, byte[] sender, int receiver, int domain, ref int patience)
    {
        int fd = Bound(sender, domain);
        if (fd < 0)
        {
            return fd;
        }

        int sent = SocketCalls.Connect(receiver, sender);
        if (sent == 0)
        {
            SocketMemory before = SocketMemory.Of(receiver);
            sent = MessageSender.Send(fd, message, SocketCalls.LocalAddress(receiver));
            sent = sent < 0 ? sent : Await(receiver, before, ref patience);
            SocketCalls.Disconnect(receiver);
        }

        Kernel.Close(fd);
        return Math.Min(sent, 0);
    }

    // Another processor may deliver what was sent, later: with RPS, or when this one is busy (net/core/dev.c). Until then the receiver must
    // stay connected, and what is sent next would overtake it.
    private static int Await(int receiver, SocketMemory before, ref int patience)
    {
        for (; ; patience--)
        {
            SocketMemory now = SocketMemory.Of(receiver);
            if (now != before)
            {
                return now.Dropped == before.Dropped ? 0 : -Errno.NoBufferSpace;
            }

            if (patience <= 0)
            {
                return -Errno.TimedOut;
            }

            Kernel.Sleep(1);
        }
    }

    private static int Bound(byte[] address, int domain)
    {
        int fd = SocketCalls.Create(domain, Constant.SOCK_DGRAM, 0);
        if (fd < 0)
        {
            return fd;
        }

        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress, 1);
        int error = SocketCalls.Bind(fd, address);
        if (error == -Errno.AddressNotAvailable && SetTransparent(fd, domain) == 0)
        {
            error = SocketCalls.Bind(fd, address);
        }

        if (error < 0)
        {
            Kernel.Close(fd);
            return error;
        }

        return fd;
    }

    private static int SetTransparent(int fd, int domain)
        => domain == Constant.AF_INET ? SocketCalls.SetInt(fd, Ip, Transparent, 1) : SocketCalls.SetInt(fd, Ipv6, Ipv6Transparent, 1);
}
