// World: restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The port of a connecting socket, which may be that of other connections, too: docs/decisions/0023.</summary>
internal static class ClientPort
{
    private const int Internet = 0, BindAddressNoPort = 24, LocalPortRange = 51; // ip(7)

    /// <summary>
    /// The port of a connecting socket may serve several connections, when the kernel chose it: bind(2) then finds it in use. A range
    /// of one port makes the kernel choose it again, in connect(2) (Linux 6.3).
    /// </summary>
    /// <returns>0 or -errno. What connect(2) says then is EADDRNOTAVAIL when the port cannot be shared, or the kernel still has the very connection.</returns>
    public static int Share(int fd, byte[] address)
    {
        int port = TcpAddress.PortOf(address);
        int error = SocketCalls.SetInt(fd, Internet, LocalPortRange, (port << 16) | port);
        return error < 0 ? error : BindAddress(fd, address);
    }

    /// <summary>Connects a socket that has no name yet, from <paramref name="client"/>; from another port of that address when it cannot be had.</summary>
    /// <returns>0, -EINPROGRESS, or another -errno.</returns>
    public static int Connect(int fd, int domain, byte[] client, byte[] server)
    {
        var patience = new PortPatience();
        int error;
        do
        {
            error = TryConnect(fd, domain, client, server);
        }
        while (IsTaken(error) && patience.TryAgain(client));

        if (IsTaken(error) && !SocketName.IsBound(domain, SocketCalls.LocalAddress(fd)))
        {
            SocketCalls.SetInt(fd, Internet, LocalPortRange, 0);
            int bound = BindAddress(fd, client);
            return bound < 0 ? bound : SocketCalls.Connect(fd, server);
        }

        return error;
    }

    // Shared is preferred: a socket that was bound to a port cannot go to another one.
    private static int TryConnect(int fd, int domain, byte[] client, byte[] server)
    {
        int error = Share(fd, client);
        if (error == 0)
        {
            error = SocketCalls.Connect(fd, server);
            if (error is 0 or -Errno.InProgress || EndedConnections.Hold(client))
            {
                return error;
            }
        }

        error = SocketName.TryBind(fd, domain, client);
        return error < 0 ? error : SocketCalls.Connect(fd, server);
    }

    private static bool IsTaken(int error) => error is -Errno.AddressInUse or -Errno.AddressNotAvailable;

    private static int BindAddress(int fd, byte[] address)
    {
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress, 1);
        SocketCalls.SetInt(fd, Internet, BindAddressNoPort, 1);
        return SocketCalls.Bind(fd, TcpAddress.WithPort(address, 0));
    }
}
