// World: restored process. rtnetlink(7); include/uapi/linux/rtnetlink.h, if_addr.h.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>The address under which peers know the computation must be on the host where it wakes.</summary>
internal static class HostAddress
{
    private const int NewAddress = 20, RemoveAddress = 21, GetRoute = 26;
    private const int Exclusive = 0x200;
    private const int DuplicatePatienceMilliseconds = 4000, StepMilliseconds = 20;

    // What this process has brought to this host.
    private static readonly List<(ConnectionEnds Ends, int Network)> s_brought = [];

    /// <summary>At the beginning of a restart: this may be another host.</summary>
    public static void Forget() => s_brought.Clear();

    /// <summary>When the computation falls asleep: it may wake on another host.</summary>
    public static void TakeAway()
    {
        using var routes = new NetlinkSocket(NetlinkSocket.Routes);
        foreach ((ConnectionEnds ends, int network) in s_brought)
        {
            Change(routes, RemoveAddress, 0, ends, network);
        }
    }

    /// <summary>Gives the host the local address of this connection, unless it has it.</summary>
    /// <exception cref="CheckpointException">Another host has it, or this one cannot reach the peer.</exception>
    public static void Bring(ConnectionEnds ends)
    {
        if (IsHere(ends.Local))
        {
            return;
        }

        string address = SocketName.HostText(ends.Local);
        using var routes = new NetlinkSocket(NetlinkSocket.Routes);
        int network = NetworkTowards(routes, ends);
        if (network <= 0)
        {
            throw new CheckpointException($"the address {address}, at which {SocketName.Text(ends.Peer)} is connected, cannot be brought to this host: it has no route to that peer. Give it one (ip route), or add the address yourself (ip address add), and run dmrestart again.");
        }

        using var neighbors = new Neighborhood(network, ends);
        if (neighbors.HasOwner)
        {
            throw InUse(address);
        }

        int error = Change(routes, NewAddress, NetlinkMessages.Create | Exclusive, ends, network);
        if (error is < 0 and not -Errno.Exists)
        {
            throw new CheckpointException($"the address {address}, at which {SocketName.Text(ends.Peer)} is connected, cannot be given to this host: {Errno.Text(error)}. Add it yourself (ip address add) and run dmrestart again.");
        }

        if (error == 0)
        {
            s_brought.Add((ends, network));
        }

        // For IPv6 the kernel asks whether somebody else has it, and until then it is not ours (RFC 4862 5.4).
        for (int waited = 0; !IsHere(ends.Local); waited += StepMilliseconds)
        {
            if (waited >= DuplicatePatienceMilliseconds)
            {
                // Else it would stay here, marked as somebody else's.
                Change(routes, RemoveAddress, 0, ends, network);
                throw InUse(address);
            }

            Kernel.Sleep(StepMilliseconds);
        }

        neighbors.Announce();
        RestartStdio.Warn($"the address {address}, at which peers outside of the computation are connected, is on this host now, until the computation sleeps again; when the programs have ended, remove it (ip address del)");
    }

    private static CheckpointException InUse(string address)
        => new($"the address {address}, at which peers outside of the computation are connected, is in use by another host. Take it off there (ip address del) and run dmrestart again.");

    private static bool IsHere(byte[] address)
    {
        int fd = SocketCalls.Create(address[0], Constant.SOCK_DGRAM, 0);
        int error = SocketCalls.Bind(fd, TcpAddress.WithPort(address, 0));
        Kernel.Close(fd);
        return error == 0;
    }

    // The index of the network interface by which the peer is reached, or 0. struct rtmsg: u8 family, bits of target, bits of source,
    // type of service, table, protocol, scope, type; u32 flags. RTA_DST 1, RTA_OIF 4.
    private static int NetworkTowards(NetlinkSocket routes, ConnectionEnds ends)
    {
        const int HeaderBytes = 12, Target = 1, Out = 4;
        var request = new NetlinkMessages();
        request.Begin(GetRoute, 0, [ends.Peer[0], (byte)(ends.PeerHost.Length * 8), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        request.Add(Target, ends.PeerHost);
        int network = 0;
        routes.Tell(request, answer => network = IntOf(NetlinkAttributes.Find(answer[HeaderBytes..], Out)));
        return network;
    }

    // struct ifaddrmsg: u8 family, bits, flags, scope; u32 interface. IFA_ADDRESS 1, IFA_LOCAL 2. The address alone, without a network:
    // no route comes with it.
    private static int Change(NetlinkSocket routes, int what, int flags, ConnectionEnds ends, int network)
    {
        const int Address = 1, Local = 2;
        var request = new NetlinkMessages();
        request.Begin(what, flags | NetlinkMessages.Acknowledge, [ends.Local[0], (byte)(ends.LocalHost.Length * 8), 0, 0, .. BitConverter.GetBytes(network)]);
        request.Add(Local, ends.LocalHost);
        request.Add(Address, ends.LocalHost);
        return routes.Tell(request);
    }

    private static int IntOf(ReadOnlySpan<byte> value) => value.Length < sizeof(int) ? 0 : BitConverter.ToInt32(value);
}
