// World: restored process. packet(7); ARP: RFC 826, RFC 5227; neighbour advertisements: RFC 4861 4.4 and 7.2.6.
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>The other hosts on a network of this one: whether one of them has an address, and that we have it now.</summary>
internal sealed unsafe class Neighborhood : IDisposable
{
    private const int PacketFamily = 17, Arp = 0x0806, AddressBytes = 20, Ethernet = 1;
    private const int ArpBytes = 28, MacBytes = 6, ProbeRounds = 2, ProbeMilliseconds = 200;
    private const short Asks = 1;
    private readonly ConnectionEnds _ends;
    private readonly int _network;
    private readonly int _fd;
    private readonly byte[] _own;

    /// <param name="network">Index of the network interface.</param>
    /// <param name="ends">Whose local address is the one in question.</param>
    public Neighborhood(int network, ConnectionEnds ends)
    {
        (_network, _ends) = (network, ends);
        int protocol = ((Arp & 0xFF) << 8) | (Arp >> 8);
        _fd = DescriptorNumbers.Raise((int)Kernel.Call(SystemCall.Socket, PacketFamily, Constant.SOCK_DGRAM | Constant.SOCK_CLOEXEC, protocol));
        SocketCalls.Bind(_fd, LinkAddress(network, []));
        // struct sockaddr_ll: u16 family, be16 protocol, i32 interface, u16 hardware, u8 packet type, u8 length, address.
        byte[] name = SocketCalls.LocalAddress(_fd);
        _own = name.Length >= 12 + MacBytes && name[8] == Ethernet ? name[12..(12 + MacBytes)] : [];
    }

    /// <summary>Another host answers for the address. Of IPv6 the kernel finds out by itself.</summary>
    public bool HasOwner
    {
        get
        {
            for (int round = 0; _ends.IsV4 && _own.Length > 0 && round < ProbeRounds; round++)
            {
                SendArp(new byte[4]);
                if (HearsOwner())
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Who has another host's hardware address for it takes ours.</summary>
    public void Announce()
    {
        if (_own.Length == 0)
        {
            return;
        }

        if (_ends.IsV4)
        {
            SendArp(_ends.LocalHost);
        }
        else
        {
            Advertise();
        }
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            Kernel.Close(_fd);
        }
    }

    private static byte[] LinkAddress(int network, ReadOnlySpan<byte> hardware)
    {
        byte[] address = new byte[AddressBytes];
        (address[0], address[2], address[3], address[11]) = (PacketFamily, Arp >> 8, Arp & 0xFF, (byte)hardware.Length);
        BitConverter.TryWriteBytes(address.AsSpan(4), network);
        hardware.CopyTo(address.AsSpan(12));
        return address;
    }

    // be16 hardware, be16 protocol, u8 lengths, be16 operation, sender's hardware address and address, target's.
    private void SendArp(ReadOnlySpan<byte> sender)
    {
        byte[] packet = [0, Ethernet, 8, 0, MacBytes, 4, 0, (byte)Asks, .. _own, .. sender, 0, 0, 0, 0, 0, 0, .. _ends.LocalHost];
        Send(_fd, packet, LinkAddress(_network, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));
    }

    private bool HearsOwner()
    {
        const int SenderHardware = 8, Sender = 14;
        byte[] packet = new byte[ArpBytes];
        long deadline = Kernel.Clock(Constant.CLOCK_MONOTONIC) + (ProbeMilliseconds * 1_000_000L);
        do
        {
            fixed (byte* at = packet)
            {
                while (Kernel.Call(SystemCall.RecvFrom, _fd, (long)at, ArpBytes, Constant.MSG_DONTWAIT) >= ArpBytes)
                {
                    if (packet.AsSpan(Sender, 4).SequenceEqual(_ends.LocalHost) && !packet.AsSpan(SenderHardware, MacBytes).SequenceEqual(_own))
                    {
                        return true;
                    }
                }
            }

            Kernel.Sleep(1);
        }
        while (Kernel.Clock(Constant.CLOCK_MONOTONIC) < deadline);
        return false;
    }

    // To all nodes (ff02::1), unsolicited, with the flag that overrides. The kernel makes the checksum: raw(7) for ICMPv6, RFC 3542 3.1.
    private void Advertise()
    {
        const int Raw = 3, Icmp6 = 58, Ipv6 = 41, MulticastHops = 18, MostHops = 255;
        const byte Advertisement = 136, Override = 0x20, LinkLayerOption = 2;
        int fd = SocketCalls.Create(Constant.AF_INET6, Raw, Icmp6);
        SocketCalls.SetInt(fd, Ipv6, MulticastHops, MostHops);
        SocketCalls.Bind(fd, TcpAddress.WithPort(_ends.Local, 0));
        byte[] packet = [Advertisement, 0, 0, 0, Override, 0, 0, 0, .. _ends.LocalHost, LinkLayerOption, 1, .. _own];
        byte[] all = TcpAddress.Any(Constant.AF_INET6);
        (all[8], all[9], all[23]) = (0xFF, 0x02, 1);
        BitConverter.TryWriteBytes(all.AsSpan(24), _network);
        Send(fd, packet, all);
        Kernel.Close(fd);
    }

    private static void Send(int fd, byte[] packet, byte[] target)
    {
        fixed (byte* at = packet, to = target)
        {
            Kernel.Call(SystemCall.SendTo, fd, (long)at, packet.Length, 0, (long)to, target.Length);
        }
    }
}
