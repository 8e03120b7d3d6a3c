// World: restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>
/// The end of the peer's stream, which it has sent before the checkpoint and will not send again: no option puts it into a socket, so the
/// packet is made once more, here, as if it came from the peer. raw(7), RFC 9293 3.1. Needs CAP_NET_RAW.
/// </summary>
internal static unsafe class ForgedEnd
{
    private const int Raw = 3, RawProtocol = 255, Ip = 0, Ipv6 = 41, HeaderIncluded = 3, HeaderIncluded6 = 36;
    private const int Ip4Bytes = 20, Ip6Bytes = 40, TcpBytes = 20;
    private const byte Tcp = 6, HopLimit = 64, FinAndAck = 0x11;

    /// <param name="acknowledged">Number of the first byte that the peer has not acknowledged.</param>
    /// <param name="end">Number of the end.</param>
    public static void Deliver(ConnectionEnds ends, uint acknowledged, uint end)
    {
        int domain = ends.IsV4 ? Constant.AF_INET : Constant.AF_INET6;
        int fd = (int)Kernel.Call(SystemCall.Socket, domain, Raw | Constant.SOCK_CLOEXEC, RawProtocol);
        if (fd < 0)
        {
            return;
        }

        SocketCalls.SetInt(fd, ends.IsV4 ? Ip : Ipv6, ends.IsV4 ? HeaderIncluded : HeaderIncluded6, 1);
        byte[] packet = Packet(ends, acknowledged, end), target = TcpAddress.WithPort(ends.Local, 0);
        fixed (byte* at = packet, to = target)
        {
            Kernel.Call(SystemCall.SendTo, fd, (long)at, packet.Length, 0, (long)to, target.Length);
        }

        Kernel.Close(fd);
    }

    private static byte[] Packet(ConnectionEnds ends, uint acknowledged, uint end)
    {
        int start = ends.IsV4 ? Ip4Bytes : Ip6Bytes;
        byte[] packet = new byte[start + TcpBytes];
        if (ends.IsV4)
        {
            // Length, checksum and the rest are the kernel's: raw(7).
            (packet[0], packet[8], packet[9]) = (0x45, HopLimit, Tcp);
            ends.PeerHost.CopyTo(packet.AsSpan(12));
            ends.LocalHost.CopyTo(packet.AsSpan(16));
        }
        else
        {
            (packet[0], packet[5], packet[6], packet[7]) = (0x60, TcpBytes, Tcp, HopLimit);
            ends.PeerHost.CopyTo(packet.AsSpan(8));
            ends.LocalHost.CopyTo(packet.AsSpan(24));
        }

        Span<byte> segment = packet.AsSpan(start);
        ends.PeerPort.CopyTo(segment);
        ends.LocalPort.CopyTo(segment[2..]);
        PutBig(segment[4..], end);
        PutBig(segment[8..], acknowledged);
        (segment[12], segment[13]) = (TcpBytes / 4 << 4, FinAndAck);
        (segment[14], segment[15]) = (0xFF, 0xFF);
        uint sum = Sum(ends.PeerHost) + Sum(ends.LocalHost) + Tcp + TcpBytes + Sum(segment);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = ~(sum + (sum >> 16));
        (segment[16], segment[17]) = ((byte)(sum >> 8), (byte)sum);
        return packet;
    }

    private static void PutBig(Span<byte> at, uint value)
        => (at[0], at[1], at[2], at[3]) = ((byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value);

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i + 1 < bytes.Length; i += 2)
        {
            sum += (uint)((bytes[i] << 8) | bytes[i + 1]);
        }

        return sum;
    }
}
