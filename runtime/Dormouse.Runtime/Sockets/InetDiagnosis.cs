// World: Frozen. include/uapi/linux/inet_diag.h.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A TCP socket of this host as sock_diag shows it, whoever has it.</summary>
/// <param name="State">TCP_ESTABLISHED 1 …, include/net/tcp_states.h.</param>
/// <param name="Local">struct sockaddr_in or sockaddr_in6.</param>
/// <param name="Peer">Of the same kind.</param>
/// <param name="Unread">Bytes that have come and nobody has read.</param>
/// <param name="Unsent">Bytes that the other end has not acknowledged.</param>
/// <param name="Inode">0: no process has it. It waits to be accepted, or is closed.</param>
/// <param name="QuietMilliseconds">Since the last acknowledgement came.</param>
/// <param name="Identity">The kernel's cookie: no other socket has it, nor will have.</param>
internal readonly record struct InetDiagnosis(int State, byte[] Local, byte[] Peer, uint Unread, uint Unsent, uint Inode, int QuietMilliseconds, ulong Identity)
{
    private const int RequestBytes = 56, AnswerBytes = 72, TcpProtocol = 6, TcpInfo = 2 /* INET_DIAG_INFO */;
    private const uint AllStates = uint.MaxValue;

    // struct inet_diag_sockid: be16 source port, destination port, be32 source[4], destination[4], u32 interface, u32 cookie[2].
    private const int SourcePort = 0, DestinationPort = 2, Source = 4, Destination = 20, Interface = 36, Cookie = 40;

    public bool IsEstablished => State == TcpState.Established;

    /// <summary>The socket at <paramref name="local"/> of the connection with <paramref name="peer"/>, or null.</summary>
    public static InetDiagnosis? Find(byte[] local, byte[] peer)
    {
        InetDiagnosis? found = null;
        SocketDiagnosis.Ask(RequestFor(local, peer), answer => found = Read(answer));
        return found;
    }

    /// <summary>Ends this very socket, and no other one that has its addresses by now.</summary>
    public bool Destroy()
    {
        byte[] request = RequestFor(Local, Peer);
        BitConverter.TryWriteBytes(request.AsSpan(8 + Cookie), Identity);
        return SocketDiagnosis.Destroy(request);
    }

    /// <summary>All sockets of a family in one of these states (bits) with this port, in network order, on this side.</summary>
    public static List<InetDiagnosis> AtPort(int family, uint states, ReadOnlySpan<byte> port)
    {
        Span<byte> request = Request((byte)family, states);
        port.CopyTo(request[(8 + SourcePort)..]);
        var all = new List<InetDiagnosis>();
        SocketDiagnosis.List(request, answer => all.Add(Read(answer)));
        return all;
    }

    private static byte[] RequestFor(byte[] local, byte[] peer)
    {
        byte[] request = Request(local[0], AllStates);
        Span<byte> id = request.AsSpan(8);
        local.AsSpan(2, 2).CopyTo(id[SourcePort..]);
        peer.AsSpan(2, 2).CopyTo(id[DestinationPort..]);
        AddressOf(local).CopyTo(id[Source..]);
        AddressOf(peer).CopyTo(id[Destination..]);
        return request;
    }

    // struct inet_diag_req_v2: u8 family, protocol, extensions, pad, u32 states, id.
    private static byte[] Request(byte family, uint states)
    {
        byte[] request = new byte[RequestBytes];
        (request[0], request[1], request[2]) = (family, TcpProtocol, 1 << (TcpInfo - 1));
        BitConverter.TryWriteBytes(request.AsSpan(4), states);
        request.AsSpan(8 + Cookie, 8).Fill(0xFF);
        return request;
    }

    // struct inet_diag_msg: u8 family, state, timer, retransmissions, id, u32 expires, receive queue, send queue, user, inode.
    private static InetDiagnosis Read(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < AnswerBytes)
        {
            return default;
        }

        ReadOnlySpan<byte> id = answer[4..];
        bool isV4 = answer[0] == Constant.AF_INET;
        return new InetDiagnosis(
            answer[1], Address(answer[0], id[SourcePort..], id[Source..]), Address(answer[0], id[DestinationPort..], id[Destination..]),
            BitConverter.ToUInt32(answer[56..]), BitConverter.ToUInt32(answer[60..]), BitConverter.ToUInt32(answer[68..]), Quiet(answer[AnswerBytes..]),
            BitConverter.ToUInt64(id[Cookie..]));
    }

    private static byte[] Address(byte family, ReadOnlySpan<byte> port, ReadOnlySpan<byte> host)
    {
        bool isV4 = family == Constant.AF_INET;
        byte[] address = new byte[isV4 ? 16 : 28];
        address[0] = family;
        port[..2].CopyTo(address.AsSpan(2));
        host[..(isV4 ? 4 : 16)].CopyTo(address.AsSpan(isV4 ? 4 : 8));
        return address;
    }

    private static int Quiet(ReadOnlySpan<byte> attributes)
    {
        const int LastAcknowledgement = 56; // tcpi_last_ack_recv
        ReadOnlySpan<byte> info = NetlinkAttributes.Find(attributes, TcpInfo);
        return info.Length < LastAcknowledgement + sizeof(int) ? 0 : BitConverter.ToInt32(info[LastAcknowledgement..]);
    }

    private static ReadOnlySpan<byte> AddressOf(byte[] address) => address[0] == Constant.AF_INET ? address.AsSpan(4, 4) : address.AsSpan(8, 16);
}
