using System.Runtime.InteropServices;
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Addresses of TCP sockets, whichever family the socket has: struct sockaddr_in, sockaddr_in6 (ip(7), ipv6(7)).</summary>
internal static class TcpAddress
{
    private const int DomainShift = 32;
    private const ulong StuckBit = 1ul << 40, EndedBit = 1ul << 42;
    private static readonly ulong s_kind = ObjectKeys.Hash("tcp");

    /// <summary>Name of the end at <paramref name="local"/> of the connection with <paramref name="peer"/>, whichever family the socket has.</summary>
    public static ResourceKey KeyOf(byte[] local, byte[] peer)
    {
        InternetAddress here = InternetAddress.Of(local), there = InternetAddress.Of(peer);
        uint ports = ((uint)PortOf(local) << 16) | (uint)PortOf(peer);
        ReadOnlySpan<ulong> name = [here.High, here.Low, there.High, there.Low, ports];
        // Loopback addresses mean another connection in another network namespace; all others the same one from everywhere.
        return new ResourceKey(s_kind ^ (here.IsLoopback || there.IsLoopback ? ObjectKeys.Network : 0), ObjectKeys.Hash(MemoryMarshal.AsBytes(name)));
    }

    /// <summary>Whether <see cref="For"/> has an answer: IPv6 addresses beyond IPv4 are none for an IPv4 socket.</summary>
    public static bool Fits(int domain, byte[] address) => domain != Constant.AF_INET || InternetAddress.Of(address).IsV4;

    /// <summary>127.0.0.0/8, also mapped into IPv6, and ::1.</summary>
    public static bool IsLoopback(byte[] address) => InternetAddress.Of(address).IsLoopback;

    public static byte[] Any(int domain)
    {
        byte[] address = new byte[domain == Constant.AF_INET ? 16 : 28];
        address[0] = (byte)domain;
        return address;
    }

    public static int PortOf(byte[] address) => (address[2] << 8) | address[3];

    public static byte[] WithPort(byte[] address, int port)
    {
        byte[] changed = address.AsSpan().ToArray();
        (changed[2], changed[3]) = ((byte)(port >> 8), (byte)port);
        return changed;
    }

    /// <summary>What the other end must know, above the open flags.</summary>
    public static ulong Announce(int domain, bool hasStuckBytes, bool hasSentEnd)
        => ((ulong)domain << DomainShift) | (hasStuckBytes ? StuckBit : 0) | (hasSentEnd ? EndedBit : 0);

    public static bool HasStuckBytes(Candidate holder) => (holder.Item.Auxiliary & StuckBit) != 0;

    public static bool HasSentEnd(Candidate holder) => (holder.Item.Auxiliary & EndedBit) != 0;

    public static int DomainOf(Candidate holder) => (int)(holder.Item.Auxiliary >> DomainShift) & 0xFF;

    /// <summary>The same address for a socket of <paramref name="domain"/>: IPv4 as ::ffff:a.b.c.d, and back.</summary>
    public static byte[] For(int domain, byte[] address)
    {
        bool isV4 = address[0] == Constant.AF_INET;
        if (isV4 == (domain == Constant.AF_INET))
        {
            return address;
        }

        if (isV4)
        {
            return [Constant.AF_INET6, 0, address[2], address[3], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, .. address.AsSpan(4, 4), 0, 0, 0, 0];
        }

        return [Constant.AF_INET, 0, address[2], address[3], .. address.AsSpan(20, 4), 0, 0, 0, 0, 0, 0, 0, 0];
    }

    /// <summary>Whether who is bound to <paramref name="wanted"/> has <paramref name="local"/>: that very address and port, or one of all.</summary>
    public static bool Covers(byte[] wanted, byte[] local)
        => PortOf(wanted) == PortOf(local) && InternetAddress.Of(wanted).Covers(InternetAddress.Of(local));

    /// <summary>The host itself, any port.</summary>
    public static byte[] Loopback(int domain)
    {
        byte[] address = new byte[domain == Constant.AF_INET ? 16 : 28];
        address[0] = (byte)domain;
        if (domain == Constant.AF_INET)
        {
            (address[4], address[7]) = (127, 1);
        }
        else
        {
            address[23] = 1;
        }

        return address;
    }
}
