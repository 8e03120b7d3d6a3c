namespace Dormouse.Runtime.Sockets;

/// <summary>What people call the sockets that cannot be restored: socket(2), address_families(7).</summary>
internal static class ForeignSockets
{
    private const int Internet = 2, Internet6 = 10, Raw = 3, Sctp = 132, UdpLite = 136, IcmpDatagram = 1, Icmp6Datagram = 58;

    public static string Name(int domain, int type, int protocol) => domain switch
    {
        Internet or Internet6 when type == Raw => "raw socket",
        Internet or Internet6 when protocol == Sctp => "SCTP socket",
        Internet or Internet6 when protocol == UdpLite => "UDP-Lite socket",
        Internet or Internet6 when protocol is IcmpDatagram or Icmp6Datagram => "ping socket (ICMP)",
        15 => "key management socket (AF_KEY)",
        16 => "netlink socket",
        17 => "packet socket",
        21 => "RDS socket",
        29 => "CAN socket",
        30 => "TIPC socket",
        31 => "Bluetooth socket",
        38 => "socket of the kernel's cryptography (AF_ALG)",
        40 => "vsock socket",
        43 => "SMC socket",
        44 => "XDP socket",
        _ => $"socket of family {domain}, type {type}, protocol {protocol}",
    };
}
