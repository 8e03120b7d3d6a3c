using System.Buffers.Binary;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Addresses;

/// <summary>An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d: both halves as numbers.</summary>
internal readonly record struct InternetAddress(ulong High, ulong Low)
{
    public const int Bytes = 16;
    private static readonly InternetAddress AnyV4 = new(0, 0xFFFF_0000_0000UL);
    private const int V4Offset = 4, V6Offset = 8; // in struct sockaddr_in, sockaddr_in6

    public bool IsV4 => High == 0 && Low >> 32 == 0xFFFF;

    public bool IsLoopback => (High == 0 && Low == 1) || (IsV4 && (byte)(Low >> 24) == 127);

    public static InternetAddress Read(ReadOnlySpan<byte> bytes)
        => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    public static InternetAddress OfV4(ReadOnlySpan<byte> bytes) => new(0, AnyV4.Low | BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>Of struct sockaddr_in or sockaddr_in6; :: of anything else.</summary>
    public static InternetAddress Of(ReadOnlySpan<byte> socketAddress) => socketAddress.Length switch
    {
        >= V6Offset + Bytes when socketAddress[0] == Constant.AF_INET6 => Read(socketAddress[V6Offset..]),
        >= V4Offset + 4 when socketAddress[0] == Constant.AF_INET => OfV4(socketAddress[V4Offset..]),
        _ => default,
    };

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
    }

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Bytes];
        Write(bytes);
        return bytes;
    }

    /// <summary>Whether a socket bound to it has what comes to <paramref name="other"/>: 0.0.0.0 is for IPv4 only, :: for both.</summary>
    public bool Covers(InternetAddress other) => this == other || this == default || (this == AnyV4 && other.IsV4);

    /// <summary>Whether both are in one network.</summary>
    /// <param name="other">The other one.</param>
    /// <param name="prefix">Bits of the network, of 128.</param>
    public bool IsBeside(InternetAddress other, int prefix)
    {
        ulong high = Mask(prefix), low = Mask(prefix - 64);
        return IsV4 == other.IsV4 && ((High ^ other.High) & high) == 0 && ((Low ^ other.Low) & low) == 0;
    }

    private static ulong Mask(int bits) => bits <= 0 ? 0 : bits >= 64 ? ulong.MaxValue : ulong.MaxValue << (64 - bits);
}
