// World: restored process.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Makes a TCP connection within one process, between two given addresses and ports of this host.</summary>
internal static class TcpPair
{
    private const int ReuseAddress = 2;
    private const int DeadlineMilliseconds = 3000;
    private const int RetryMilliseconds = 20;

    /// <returns>The end at <paramref name="near"/>, and the one at <paramref name="far"/>.</returns>
    /// <exception cref="CheckpointException">An address is not here, or a port is taken for good.</exception>
    public static (int Near, int Far) Make(byte[] near, int nearDomain, byte[] far, int farDomain, string what)
    {
        long deadline = Kernel.Clock(Constant.CLOCK_MONOTONIC) + (DeadlineMilliseconds * 1_000_000L);
        for (; ; )
        {
            // Another member may listen at the same port for a moment, to make its own connections; the old connection may be
            // in TIME_WAIT, which ends for us after a second (tcp_tw_reuse on loopback).
            (int Near, int Far) pair = Try(near, nearDomain, far, farDomain);
            if (pair.Near >= 0)
            {
                return pair;
            }

            bool isTaken = pair.Near is -Errno.AddressInUse or -Errno.AddressNotAvailable or -Errno.ConnectionRefused or -Errno.TryAgain;
            if (isTaken && Kernel.Clock(Constant.CLOCK_MONOTONIC) > deadline)
            {
                // The bytes matter more than the numbers: any free ports.
                pair = Try(WithoutPort(near), nearDomain, WithoutPort(far), farDomain);
                if (pair.Near >= 0)
                {
                    RestartStdio.Warn($"{what}: the ports of the connection from {SocketName.Text(near)} to {SocketName.Text(far)} are still in use; it has other ones now");
                    return pair;
                }

                isTaken = false;
            }

            if (!isTaken)
            {
                throw new CheckpointException($"{what}: the connection from {SocketName.Text(near)} to {SocketName.Text(far)} cannot be made again: {Errno.Text(pair.Near)}. Stop the program that uses these ports, or wait a minute, and run dmrestart again.");
            }

            Kernel.Sleep(RetryMilliseconds);
        }
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
        int client = error < 0 ? -1 : BoundSocket(nearDomain, TcpAddress.For(nearDomain, near), out error);
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

    private static byte[] WithoutPort(byte[] address)
    {
        byte[] any = address.AsSpan().ToArray();
        (any[2], any[3]) = (0, 0);
        return any;
    }

    private static int BoundSocket(int domain, byte[] address, out int error)
    {
        int fd = SocketCalls.Create(domain, Constant.SOCK_STREAM, SocketCalls.InternetTcp);
        error = fd;
        if (fd < 0)
        {
            return fd;
        }

        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, ReuseAddress, 1);
        error = SocketCalls.Bind(fd, address);
        if (error < 0)
        {
            Kernel.Close(fd);
            return error;
        }

        return fd;
    }
}
