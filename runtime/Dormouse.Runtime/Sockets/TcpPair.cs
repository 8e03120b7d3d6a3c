// World: restored process.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Makes a TCP connection within one process, between two given addresses and ports of this host.</summary>
internal static class TcpPair
{
    /// <returns>The end at <paramref name="near"/>, and the one at <paramref name="far"/>.</returns>
    /// <exception cref="CheckpointException">An address is not here, or a port is taken for good.</exception>
    public static (int Near, int Far) Make(byte[] near, int nearDomain, byte[] far, int farDomain, string what)
    {
        var patience = new PortPatience();
        for (; ; )
        {
            (int Near, int Far) pair = TryEitherWay(near, nearDomain, far, farDomain);
            if (pair.Near >= 0)
            {
                return pair;
            }

            bool isTaken = pair.Near is -Errno.AddressInUse or -Errno.AddressNotAvailable or -Errno.ConnectionRefused or -Errno.TryAgain;
            if (isTaken && patience.TryAgain(near, far))
            {
                continue;
            }

            if (isTaken)
            {
                // The bytes matter more than the numbers, and the program goes on seeing those that it knows (ShownNames).
                pair = Try(TcpAddress.WithPort(near, 0), nearDomain, TcpAddress.WithPort(far, 0), farDomain);
                if (pair.Near >= 0)
                {
                    return pair;
                }
            }

            throw new CheckpointException($"{what}: the connection from {SocketName.Text(near)} to {SocketName.Text(far)} cannot be made again: {Errno.Text(pair.Near)}. Stop the program that uses these ports, or wait a minute, and run dmrestart again.");
        }
    }

    // The kernel refuses to connect from a port that has other connections while the old one is in TIME_WAIT; it takes one from the other side.
    private static (int Near, int Far) TryEitherWay(byte[] near, int nearDomain, byte[] far, int farDomain)
    {
        (int Near, int Far) pair = Try(near, nearDomain, far, farDomain);
        if (pair.Near is -Errno.AddressInUse or -Errno.AddressNotAvailable)
        {
            (int Near, int Far) turned = Try(far, farDomain, near, nearDomain);
            pair = turned.Near < 0 ? pair : (turned.Far, turned.Near);
        }

        return pair;
    }

    /// <summary>One that nobody else takes part in: the near end at <paramref name="near"/> where that can be had, else at any port.</summary>
    public static (int Near, int Far) MakeAnywhere(byte[] near, int domain, string what)
    {
        byte[] loopback = TcpAddress.Loopback(domain);
        (int Near, int Far) pair = SocketName.IsBound(domain, near) ? Try(near, domain, TcpAddress.WithPort(near, 0), domain) : (-1, -1);
        pair = pair.Near >= 0 ? pair : Try(loopback, domain, loopback, domain);
        return pair.Near >= 0
            ? pair
            : throw new CheckpointException($"{what}: a TCP connection that is over cannot be made again: {Errno.Text(pair.Near)}. Run dmrestart again.");
    }

    /// <summary>A socket that is connected to itself.</summary>
    public static int MakeSelf(byte[] address, int domain, string what)
    {
        var patience = new PortPatience();
        int fd;
        do
        {
            fd = TrySelf(address, domain);
        }
        while (fd < 0 && patience.TryAgain(address));

        fd = fd < 0 ? TrySelf(TcpAddress.WithPort(address, 0), domain) : fd;
        return fd >= 0
            ? fd
            : throw new CheckpointException($"{what}: the connection of {SocketName.Text(address)} to itself cannot be made again: {Errno.Text(fd)}. Stop the program that uses this port and run dmrestart again.");
    }

    private static int TrySelf(byte[] address, int domain)
    {
        int fd = BoundSocket(domain, address, out int error);
        if (fd < 0)
        {
            return error;
        }

        error = SocketCalls.Connect(fd, SocketCalls.LocalAddress(fd));
        if (error < 0)
        {
            Kernel.Close(fd);
        }

        return error < 0 ? error : fd;
    }

    private static (int Near, int Far) Try(byte[] near, int nearDomain, byte[] far, int farDomain)
    {
        int listener = BoundSocket(farDomain, TcpAddress.For(farDomain, far), out int error);
        if (listener < 0)
        {
            return (error, -1);
        }

        // The port, when the kernel was to choose one.
        far = SocketCalls.LocalAddress(listener);
        error = SocketCalls.Listen(listener, 1);
        int client = error < 0 ? -1 : ConnectingSocket(nearDomain, TcpAddress.For(nearDomain, near), out error);
        int server = -1;
        if (client >= 0)
        {
            error = SocketCalls.Connect(client, TcpAddress.For(nearDomain, far));
            server = error < 0 ? -1 : SocketCalls.Accept(listener);
            error = error < 0 ? error : server;
        }

        Kernel.Close(listener);
        if (error < 0)
        {
            if (client >= 0)
            {
                Kernel.Close(client);
            }

            return (error, -1);
        }

        return (client, server);
    }

    private static int ConnectingSocket(int domain, byte[] address, out int error)
    {
        int fd = BoundSocket(domain, address, out error);
        if (error != -Errno.AddressInUse)
        {
            return fd;
        }

        fd = SocketCalls.Create(domain, Constant.SOCK_STREAM, SocketCalls.InternetTcp);
        int shared = fd < 0 ? fd : ClientPort.Share(fd, address);
        if (shared < 0)
        {
            Kernel.Close(fd);
            error = shared == -Errno.NoSuchOption ? error : shared;
            return -1;
        }

        error = 0;
        return fd;
    }

    private static int BoundSocket(int domain, byte[] address, out int error)
    {
        int fd = SocketCalls.Create(domain, Constant.SOCK_STREAM, SocketCalls.InternetTcp);
        error = fd;
        if (fd < 0)
        {
            return fd;
        }

        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress, 1);
        error = SocketCalls.Bind(fd, address);
        if (error < 0)
        {
            Kernel.Close(fd);
            return error;
        }

        return fd;
    }
}
