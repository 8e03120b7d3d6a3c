using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// All options that are put back: socket(7), tcp(7), udp(7), ip(7), ipv6(7); include/uapi/asm-generic/socket.h, linux/in.h, in6.h, tcp.h, udp.h.
/// </summary>
/// <remarks>
/// Not here: sizes of buffers, filters and multicast groups (classes of their own); what only tells (SO_ERROR, TCP_INFO, IP_MTU,
/// SO_INCOMING_CPU); what the kernel changes by itself while a connection lives (TCP_QUICKACK, and of connections TCP_MAXSEG and
/// TCP_WINDOW_CLAMP); what it never shows (TCP_MD5SIG, SO_ATTACH_REUSEPORT_CBPF).
/// </remarks>
internal static class SocketOptionTable
{
    /// <summary>TCP_ULP.</summary>
    public const int UpperProtocol = 31;

    private const int Ip = 0, Tcp = SocketCalls.InternetTcp, Udp = SocketCalls.InternetUdp, Ipv6 = 41;

    private static readonly SocketOption[] s_general =
    [
        new(Constant.SOL_SOCKET, 15, 4, "SO_REUSEPORT", OptionMoment.BeforeName), new(Constant.SOL_SOCKET, 25, 16, "SO_BINDTODEVICE", OptionMoment.BeforeName),
        new(Constant.SOL_SOCKET, 2, 4, "SO_REUSEADDR"), new(Constant.SOL_SOCKET, 5, 4, "SO_DONTROUTE"), new(Constant.SOL_SOCKET, 6, 4, "SO_BROADCAST"),
        new(Constant.SOL_SOCKET, 9, 4, "SO_KEEPALIVE"), new(Constant.SOL_SOCKET, 10, 4, "SO_OOBINLINE"), new(Constant.SOL_SOCKET, 11, 4, "SO_NO_CHECK"),
        new(Constant.SOL_SOCKET, 12, 4, "SO_PRIORITY"), new(Constant.SOL_SOCKET, 13, 8, "SO_LINGER"), new(Constant.SOL_SOCKET, 16, 4, "SO_PASSCRED"),
        new(Constant.SOL_SOCKET, 18, 4, "SO_RCVLOWAT"), new(Constant.SOL_SOCKET, 20, 16, "SO_RCVTIMEO"), new(Constant.SOL_SOCKET, 21, 16, "SO_SNDTIMEO"),
        new(Constant.SOL_SOCKET, 29, 4, "SO_TIMESTAMP"), new(Constant.SOL_SOCKET, 34, 4, "SO_PASSSEC"), new(Constant.SOL_SOCKET, 35, 4, "SO_TIMESTAMPNS"),
        new(Constant.SOL_SOCKET, 36, 4, "SO_MARK"), new(Constant.SOL_SOCKET, 37, 4, "SO_TIMESTAMPING"), new(Constant.SOL_SOCKET, 40, 4, "SO_RXQ_OVFL"),
        new(Constant.SOL_SOCKET, 42, 4, "SO_PEEK_OFF"), new(Constant.SOL_SOCKET, 45, 4, "SO_SELECT_ERR_QUEUE"), new(Constant.SOL_SOCKET, 46, 4, "SO_BUSY_POLL"),
        new(Constant.SOL_SOCKET, 47, 8, "SO_MAX_PACING_RATE"), new(Constant.SOL_SOCKET, 60, 4, "SO_ZEROCOPY"), new(Constant.SOL_SOCKET, 69, 4, "SO_PREFER_BUSY_POLL"),
        new(Constant.SOL_SOCKET, 70, 4, "SO_BUSY_POLL_BUDGET"), new(Constant.SOL_SOCKET, 74, 4, "SO_TXREHASH"), new(Constant.SOL_SOCKET, 75, 4, "SO_RCVMARK"),
        new(Constant.SOL_SOCKET, 76, 4, "SO_PASSPIDFD"), new(Constant.SOL_SOCKET, SocketBuffers.Lock, 4, "SO_BUF_LOCK", OptionMoment.Elsewhere),
    ];

    private static readonly SocketOption[] s_tcp =
    [
        // With SO_REUSEADDR as the kernel has it. What a listening socket accepts inherits it, also at once.
        new(Constant.SOL_SOCKET, PortReuse.Mark, 4, "SO_NOFCS", OptionMoment.BeforeName),
        new(Tcp, 1, 4, "TCP_NODELAY"), new(Tcp, 3, 4, "TCP_CORK"), new(Tcp, 4, 4, "TCP_KEEPIDLE"), new(Tcp, 5, 4, "TCP_KEEPINTVL"), new(Tcp, 6, 4, "TCP_KEEPCNT"),
        new(Tcp, 7, 4, "TCP_SYNCNT"), new(Tcp, 8, 4, "TCP_LINGER2"), new(Tcp, 9, 4, "TCP_DEFER_ACCEPT"), new(Tcp, 13, 16, "TCP_CONGESTION"),
        new(Tcp, 16, 4, "TCP_THIN_LINEAR_TIMEOUTS"), new(Tcp, 18, 4, "TCP_USER_TIMEOUT"), new(Tcp, 25, 4, "TCP_NOTSENT_LOWAT"),
        new(Tcp, 27, 4, "TCP_SAVE_SYN"), new(Tcp, 36, 4, "TCP_INQ"),
        new(Tcp, 37, 4, "TCP_TX_DELAY"), new(Tcp, 44, 4, "TCP_RTO_MAX_MS"),
        new(Tcp, UpperProtocol, 16, "TCP_ULP", OptionMoment.Elsewhere),
    ];

    // Connections change them, or do not take them any more (do_tcp_setsockopt in net/ipv4/tcp.c).
    private static readonly SocketOption[] s_tcpWithoutConnection =
    [
        new(Tcp, 2, 4, "TCP_MAXSEG"), new(Tcp, 10, 4, "TCP_WINDOW_CLAMP"), new(Tcp, 23, 4, "TCP_FASTOPEN"), new(Tcp, 30, 4, "TCP_FASTOPEN_CONNECT"),
        new(Tcp, 34, 4, "TCP_FASTOPEN_NO_COOKIE"),
    ];

    private static readonly SocketOption[] s_udp =
    [
        new(Udp, 1, 4, "UDP_CORK"), new(Udp, 101, 4, "UDP_NO_CHECK6_TX"), new(Udp, 102, 4, "UDP_NO_CHECK6_RX"), new(Udp, 103, 4, "UDP_SEGMENT"), new(Udp, 104, 4, "UDP_GRO"),
    ];

    // Sockets of IPv6 have these, too, for what they send to IPv4.
    private static readonly SocketOption[] s_ip =
    [
        new(Ip, 15, 4, "IP_FREEBIND", OptionMoment.BeforeName), new(Ip, 19, 4, "IP_TRANSPARENT", OptionMoment.BeforeName),
        new(Ip, 24, 4, "IP_BIND_ADDRESS_NO_PORT"), new(Ip, 51, 4, "IP_LOCAL_PORT_RANGE"),
        new(Ip, 1, 4, "IP_TOS"), new(Ip, 2, 4, "IP_TTL"), new(Ip, 6, 4, "IP_RECVOPTS"), new(Ip, 7, 4, "IP_RETOPTS"),
        // Of TCP: what each of the three would tell of the last segment (do_ip_getsockopt in net/ipv4/ip_sockglue.c), or a part of it.
        new(Ip, 9, 16, "IP_PKTOPTIONS", OptionMoment.Summary),
        new(Ip, 8, 4, "IP_PKTINFO", OptionMoment.Covered), new(Ip, 12, 4, "IP_RECVTTL", OptionMoment.Covered), new(Ip, 13, 4, "IP_RECVTOS", OptionMoment.Covered),
        new(Ip, 10, 4, "IP_MTU_DISCOVER"), new(Ip, 11, 4, "IP_RECVERR"),
        new(Ip, 18, 4, "IP_PASSSEC"), new(Ip, 20, 4, "IP_RECVORIGDSTADDR"), new(Ip, 21, 4, "IP_MINTTL"), new(Ip, 23, 4, "IP_CHECKSUM"),
        new(Ip, 26, 4, "IP_RECVERR_RFC4884"),
        new(Ip, 34, 4, "IP_MULTICAST_LOOP"), new(Ip, 49, 4, "IP_MULTICAST_ALL"), new(Ip, 50, 4, "IP_UNICAST_IF"),
    ];

    private static readonly SocketOption[] s_ipv6 =
    [
        new(Ipv6, 78, 4, "IPV6_FREEBIND", OptionMoment.BeforeName),
        new(Ipv6, 75, 4, "IPV6_TRANSPARENT", OptionMoment.BeforeName),
        new(Ipv6, 16, 4, "IPV6_UNICAST_HOPS"), new(Ipv6, 19, 4, "IPV6_MULTICAST_LOOP"),
        new(Ipv6, 23, 4, "IPV6_MTU_DISCOVER"), new(Ipv6, 25, 4, "IPV6_RECVERR"), new(Ipv6, 29, 4, "IPV6_MULTICAST_ALL"), new(Ipv6, 31, 4, "IPV6_RECVERR_RFC4884"),
        new(Ipv6, 33, 4, "IPV6_FLOWINFO_SEND"), new(Ipv6, 49, 4, "IPV6_RECVPKTINFO"), new(Ipv6, 51, 4, "IPV6_RECVHOPLIMIT"), new(Ipv6, 53, 4, "IPV6_RECVHOPOPTS"),
        new(Ipv6, 56, 4, "IPV6_RECVRTHDR"), new(Ipv6, 58, 4, "IPV6_RECVDSTOPTS"), new(Ipv6, 60, 4, "IPV6_RECVPATHMTU"), new(Ipv6, 62, 4, "IPV6_DONTFRAG"),
        new(Ipv6, 66, 4, "IPV6_RECVTCLASS"), new(Ipv6, 67, 4, "IPV6_TCLASS"), new(Ipv6, 70, 4, "IPV6_AUTOFLOWLABEL"), new(Ipv6, 72, 4, "IPV6_ADDR_PREFERENCES"),
        new(Ipv6, 73, 4, "IPV6_MINHOPCOUNT"), new(Ipv6, 74, 4, "IPV6_RECVORIGDSTADDR"), new(Ipv6, 76, 4, "IPV6_UNICAST_IF"), new(Ipv6, 77, 4, "IPV6_RECVFRAGSIZE"),
    ];

    // bind(2) to an address sets it (inet6_bind in net/ipv6/af_inet6.c), and for a TCP connection it means nothing.
    private static readonly SocketOption[] s_ipv6Only = [new(Ipv6, 26, 4, "IPV6_V6ONLY", OptionMoment.BeforeName)];

    // Sockets of TCP take none of them, and yet show some: an accepted one those of the packet by which it came (tcp_ipv4.c, tcp_ipv6.c).
    private static readonly SocketOption[] s_datagram = [new(Ip, 32, 4, "IP_MULTICAST_IF"), new(Ip, 33, 4, "IP_MULTICAST_TTL"), new(Ip, 25, 4, "IP_RECVFRAGSIZE")];

    private static readonly SocketOption[] s_datagram6 = [new(Ipv6, 17, 4, "IPV6_MULTICAST_IF"), new(Ipv6, 18, 4, "IPV6_MULTICAST_HOPS")];

    private static readonly SocketOption[] s_none = [];

    /// <summary>The tables that concern a socket, in the order in which the options are put back.</summary>
    public static SocketOption[][] Of(int domain, int protocol, bool isConnected)
    {
        SocketOption[] ip = domain is Constant.AF_INET or Constant.AF_INET6 ? s_ip : s_none;
        SocketOption[] ipv6 = domain == Constant.AF_INET6 ? s_ipv6 : s_none;
        bool isTcp = SocketCalls.IsTcp(protocol);
        SocketOption[] ipv6Only = ipv6.Length == 0 || (isTcp && isConnected) ? s_none : s_ipv6Only;
        SocketOption[] datagram = isTcp || ip.Length == 0 ? s_none : s_datagram, datagram6 = isTcp || ipv6.Length == 0 ? s_none : s_datagram6;
        // IP_TOS changes SO_PRIORITY: ip(7).
        return [ip, ipv6Only, ipv6, datagram, datagram6, s_general, protocol == Udp ? s_udp : isTcp ? s_tcp : s_none, isTcp && !isConnected ? s_tcpWithoutConnection : s_none];
    }
}
