// World: restored process.
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Coordination;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// Makes connections again whose ends were on different hosts, wherever these live now. Of the two keepers one listens for a moment and
/// publishes where, with a secret; the other connects and says which connection it means (docs/PROTOCOL.md, Restart). Where that does not
/// get through, because the network between them lets connections be made in one direction only (NAT), the other one listens.
/// </summary>
/// <remarks>All connect before anybody waits: the kernel completes a connection that nobody has accepted yet.</remarks>
internal sealed unsafe class RemoteMeeting(Link link, uint epoch)
{
    private const int SecretBytes = 16, GreetingBytes = 16 + SecretBytes, Backlog = 4096, DeadlineMilliseconds = 60000;
    private const int ConnectMilliseconds = 4000;
    private const byte AtCoordinator = 1;
    private readonly byte[] _secret = new byte[SecretBytes];
    private readonly Dictionary<int, int> _listeners = [];
    private readonly Dictionary<ResourceKey, TcpConnection> _expected = [];
    private readonly HashSet<InternetAddress> _silent = [];

    /// <param name="connections">Those of this process that it is to make.</param>
    public void Make(List<TcpConnection> connections)
    {
        if (connections.Count == 0)
        {
            return;
        }

        fixed (byte* at = _secret)
        {
            Kernel.Call(SystemCall.GetRandom, (long)at, SecretBytes, 0);
        }

        List<TcpConnection> listening = connections.FindAll(connection => connection.Listens);
        List<TcpConnection> connecting = connections.FindAll(connection => !connection.Listens);
        Expect(listening);
        link.Send(new Lookup(epoch, connecting.ConvertAll(connection => connection.Peer).ToArray()));
        var unreachable = new List<TcpConnection>();
        foreach (PublishedName name in AwaitAnswer().Names)
        {
            TcpConnection connection = connecting.Find(one => one.Peer == name.Key)!;
            if (Connect(connection, name) < 0)
            {
                unreachable.Add(connection);
            }
        }

        if (unreachable.Count > 0)
        {
            Expect(unreachable);
        }

        if (listening.Count > 0)
        {
            link.Send(new Lookup(epoch, listening.ConvertAll(connection => connection.Peer).ToArray(), OneByOne: true));
        }

        Accept(listening);
        foreach (int listener in _listeners.Values)
        {
            Kernel.Close(listener);
        }
    }

    // The other ends are to connect to these.
    private void Expect(List<TcpConnection> connections)
    {
        foreach (TcpConnection connection in connections)
        {
            _expected.Add(connection.Key, connection);
        }

        link.Send(new Publish(epoch, connections.ConvertAll(connection => new PublishedName(connection.Key, Whereabouts(connection))).ToArray()));
    }

    private Published AwaitAnswer()
    {
        for (; ; )
        {
            link.Receive(-1, out FrameKind kind, out ReadOnlySpan<byte> payload);
            if (Answer(kind, payload) is { } answer)
            {
                return answer;
            }
        }
    }

    private static Published? Answer(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (kind is FrameKind.Abort or FrameKind.KillRequested)
        {
            Kernel.Call(SystemCall.ExitGroup, 1);
        }

        return kind == FrameKind.Published ? Frame.Read<Published>(payload) : null;
    }

    // u8 flags | secret | struct sockaddr of the listener.
    private byte[] Whereabouts(TcpConnection connection)
    {
        byte[] host = SocketCalls.LocalAddress(link.Descriptor);
        bool isLocal = TcpAddress.IsLoopback(host);
        if (!_listeners.TryGetValue(connection.SocketDomain, out int listener))
        {
            byte[] address = isLocal ? TcpAddress.Any(connection.SocketDomain) : TcpAddress.For(connection.SocketDomain, TcpAddress.WithPort(host, 0));
            listener = DescriptorNumbers.Raise(SocketCalls.Create(connection.SocketDomain, Constant.SOCK_STREAM, SocketCalls.InternetTcp));
            int error = isLocal || TcpAddress.Fits(connection.SocketDomain, host) ? SocketCalls.Bind(listener, address) : -Errno.AddressNotAvailable;
            error = error < 0 ? error : SocketCalls.Listen(listener, Backlog);
            if (error < 0)
            {
                throw connection.NotMade("this host cannot listen at " + SocketName.Text(address), error);
            }

            _listeners.Add(connection.SocketDomain, listener);
        }

        byte[] at = SocketCalls.LocalAddress(listener);
        return [isLocal ? AtCoordinator : (byte)0, .. _secret, .. isLocal ? TcpAddress.WithPort(host, TcpAddress.PortOf(at)) : at];
    }

    /// <returns>-errno when there is no way to the other end.</returns>
    private int Connect(TcpConnection connection, PublishedName name)
    {
        byte[] address = name.Value.AsSpan(1 + SecretBytes).ToArray();
        if (name.Value[0] == AtCoordinator)
        {
            // Its host is the coordinator's, which we reach under this address.
            address = TcpAddress.WithPort(SocketCalls.PeerAddress(link.Descriptor), TcpAddress.PortOf(address));
        }

        InternetAddress host = InternetAddress.Of(address);
        if (!TcpAddress.Fits(connection.SocketDomain, address) || _silent.Contains(host))
        {
            return -Errno.AddressNotAvailable;
        }

        int fd = DescriptorNumbers.Raise(SocketCalls.Create(connection.SocketDomain, Constant.SOCK_STREAM, SocketCalls.InternetTcp));
        int error = SocketCalls.ConnectWithin(fd, TcpAddress.For(connection.SocketDomain, address), ConnectMilliseconds);
        if (error < 0)
        {
            _silent.Add(host);
            Kernel.Close(fd);
            return error;
        }

        byte[] greeting = [.. BitConverter.GetBytes(name.Key.High), .. BitConverter.GetBytes(name.Key.Low), .. name.Value.AsSpan(1, SecretBytes)];
        fixed (byte* at = greeting)
        {
            Kernel.Call(SystemCall.SendTo, fd, (long)at, GreetingBytes, Constant.MSG_NOSIGNAL);
        }

        connection.Meet(fd);
        return 0;
    }

    // Those who cannot connect to us say where we can connect to them.
    private void ConnectBack(List<TcpConnection> listening)
    {
        while (link.TryReceive(out FrameKind kind, out ReadOnlySpan<byte> payload))
        {
            foreach (PublishedName name in Answer(kind, payload)?.Names ?? [])
            {
                if (listening.Find(one => one.Peer == name.Key) is not { } connection || !_expected.Remove(connection.Key))
                {
                    continue;
                }

                int error = Connect(connection, name);
                if (error < 0)
                {
                    throw connection.NotMade("the hosts of its two ends cannot connect to each other, in either direction", error);
                }
            }
        }
    }

    private void Accept(List<TcpConnection> listening)
    {
        long deadline = Kernel.Clock(Constant.CLOCK_MONOTONIC) + (DeadlineMilliseconds * 1_000_000L);
        while (_expected.Count > 0)
        {
            foreach (int listener in _listeners.Values)
            {
                while (Kernel.PollNow(listener, Constant.POLLIN) != 0)
                {
                    Welcome(DescriptorNumbers.Raise(SocketCalls.Accept(listener)));
                }
            }

            ConnectBack(listening);
            if (_expected.Count > 0)
            {
                if (Kernel.Clock(Constant.CLOCK_MONOTONIC) > deadline)
                {
                    foreach (TcpConnection missing in _expected.Values)
                    {
                        throw missing.NotMade("its other end did not connect", -Errno.TimedOut);
                    }
                }

                Kernel.Sleep(1);
            }
        }
    }

    // Anybody can connect; who does not know the secret is sent away.
    private void Welcome(int fd)
    {
        const int ReceiveTimeout = 20;
        SocketCalls.SetBytes(fd, Constant.SOL_SOCKET, ReceiveTimeout, [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        byte[] greeting = new byte[GreetingBytes];
        long got;
        fixed (byte* at = greeting)
        {
            got = Kernel.Call(SystemCall.RecvFrom, fd, (long)at, GreetingBytes, Constant.MSG_WAITALL);
        }

        var key = new ResourceKey(BitConverter.ToUInt64(greeting), BitConverter.ToUInt64(greeting, 8));
        if (got == GreetingBytes && greeting.AsSpan(16).SequenceEqual(_secret) && _expected.Remove(key, out TcpConnection? connection))
        {
            SocketCalls.SetBytes(fd, Constant.SOL_SOCKET, ReceiveTimeout, new byte[16]);
            connection.Meet(fd);
        }
        else
        {
            Kernel.Close(fd);
        }
    }
}
