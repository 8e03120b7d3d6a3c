using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>The two addresses of a connection, as its packets carry them: what a socket of IPv6 calls ::ffff:a.b.c.d is IPv4 there.</summary>
internal sealed class ConnectionEnds
{
    public ConnectionEnds(byte[] local, byte[] peer)
    {
        IsV4 = TcpAddress.Fits(Constant.AF_INET, local);
        int domain = IsV4 ? Constant.AF_INET : Constant.AF_INET6;
        (Local, Peer) = (TcpAddress.For(domain, local), TcpAddress.For(domain, peer));
    }

    public bool IsV4 { get; }

    /// <summary>struct sockaddr_in or sockaddr_in6.</summary>
    public byte[] Local { get; }

    public byte[] Peer { get; }

    public ReadOnlySpan<byte> LocalHost => HostOf(Local);

    public ReadOnlySpan<byte> PeerHost => HostOf(Peer);

    public ReadOnlySpan<byte> LocalPort => Local.AsSpan(2, 2);

    public ReadOnlySpan<byte> PeerPort => Peer.AsSpan(2, 2);

    public override string ToString() => $"{SocketName.Text(Local)} to {SocketName.Text(Peer)}";

    private ReadOnlySpan<byte> HostOf(byte[] address) => IsV4 ? address.AsSpan(4, 4) : address.AsSpan(8, 16);
}
