using System.Net;
using System.Net.Sockets;

namespace Dormouse.Coordinator.Network;

/// <summary>
/// The listening sockets of a coordinator: the one it begins with, on loopback when nothing else is asked for, and those for hosts
/// that turn out to need one. Nobody listens to the world by default.
/// </summary>
internal sealed class Listeners(Epoll epoll) : IDisposable
{
    private const int Backlog = 4096;
    private const int SolSocket = 1;
    private const int SoReuseAddress = 2;

    private readonly List<Socket> _sockets = [];

    /// <summary>The first one's address, known after <see cref="Open"/>.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)_sockets[0].LocalEndPoint!;

    /// <param name="endpoint">Port 0: any.</param>
    /// <exception cref="SocketException">The address or port cannot be had.</exception>
    public void Open(IPEndPoint endpoint)
    {
        if (endpoint.Port == IPEndPoint.MinPort) LastingPort.Open(port => OpenAt(new IPEndPoint(endpoint.Address, port)));
        else OpenAt(endpoint);
    }

    /// <summary>Listens on one more address of this host, on the same port when that is free there.</summary>
    /// <param name="told">"address:port", or why not.</param>
    public bool TryAdd(string address, out string told)
    {
        if (!IPAddress.TryParse(address, out IPAddress? wanted))
        {
            told = $"{address} is no address.";
            return false;
        }

        foreach (Socket socket in _sockets)
        {
            IPEndPoint own = (IPEndPoint)socket.LocalEndPoint!;
            if (!own.Address.Equals(wanted) && !(own.Address.Equals(IPAddress.Any) && wanted.AddressFamily == AddressFamily.InterNetwork)) continue;
            told = new IPEndPoint(wanted, own.Port).ToString();
            return true;
        }

        try
        {
            try
            {
                Open(new IPEndPoint(wanted, Endpoint.Port));
            }
            catch (SocketException problem) when (problem.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                Open(new IPEndPoint(wanted, 0));
            }
        }
        catch (SocketException problem)
        {
            told = $"The coordinator cannot listen on {address}: {problem.Message}.";
            return false;
        }

        told = ((IPEndPoint)_sockets[^1].LocalEndPoint!).ToString();
        return true;
    }

    /// <summary>The socket with this descriptor, or null.</summary>
    public Socket? Of(int descriptor) => _sockets.Find(socket => (int)socket.Handle == descriptor);

    /// <summary>Stops looking for newcomers for a while.</summary>
    public void Pause()
    {
        foreach (Socket socket in _sockets) epoll.Remove(socket.Handle);
    }

    public void GoOn()
    {
        foreach (Socket socket in _sockets) epoll.Add(socket.Handle, Epoll.Readable);
    }

    public void Dispose()
    {
        foreach (Socket socket in _sockets) socket.Dispose();
        _sockets.Clear();
    }

    private void OpenAt(IPEndPoint endpoint)
    {
        Socket socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            // The kernel's own SO_REUSEADDR, so that the port can be taken again while old connections linger. .NET's ReuseAddress sets
            // SO_REUSEPORT as well (src/native/libs/System.Native/pal_networking.c), and then two coordinators would share a port.
            socket.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
            socket.Bind(endpoint);
            socket.Listen(Backlog);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        _sockets.Add(socket);
        epoll.Add(socket.Handle, Epoll.Readable);
    }
}
