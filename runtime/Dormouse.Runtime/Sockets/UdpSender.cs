// World: Frozen (IsOfThisHost), restored process (Send).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Sends a datagram once more as if it came from its old sender: a socket bound to the sender's name for a moment.</summary>
internal static class UdpSender
{
    private const int ReuseAddress = 2;

    /// <summary>Whether a sender's address is one of this host's, so that it can be taken.</summary>
    public static bool IsOfThisHost(byte[] sender, int domain)
    {
        byte[] address = sender.AsSpan().ToArray();
        (address[2], address[3]) = (0, 0);
        int fd = Bound(address, domain);
        Kernel.Close(fd);
        return fd >= 0;
    }

    /// <summary>0, or -errno: a datagram that cannot be sent is lost, as UDP may lose any.</summary>
    public static int Send(SocketMessage message, byte[] receiver, int domain)
    {
        int fd = Bound(message.Sender, domain);
        if (fd < 0)
        {
            return fd;
        }

        int sent = MessageSender.Send(fd, message, Reachable(receiver, message.Sender));
        Kernel.Close(fd);
        return Math.Min(sent, 0);
    }

    // A socket on all addresses had got it at one of them, and the sender's was one of this host.
    private static byte[] Reachable(byte[] receiver, byte[] sender)
    {
        int start = receiver[0] == Constant.AF_INET ? 4 : 8, length = receiver[0] == Constant.AF_INET ? 4 : 16;
        byte[] address = receiver.AsSpan().ToArray();
        if (address.AsSpan(start, length).IndexOfAnyExcept((byte)0) < 0)
        {
            sender.AsSpan(start, length).CopyTo(address.AsSpan(start));
        }

        return address;
    }

    private static int Bound(byte[] address, int domain)
    {
        int fd = SocketCalls.Create(domain, Constant.SOCK_DGRAM, 0);
        if (fd < 0)
        {
            return fd;
        }

        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, ReuseAddress, 1);
        int error = SocketCalls.Bind(fd, address);
        if (error < 0)
        {
            Kernel.Close(fd);
            return error;
        }

        return fd;
    }
}
