// World: Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What socket(2) has made of it: socket(7), SO_DOMAIN, SO_TYPE, SO_PROTOCOL.</summary>
internal readonly record struct SocketIdentity(int Domain, int Type, int Protocol)
{
    /// <param name="address">Its own; all kinds that have one name their family in it.</param>
    public static SocketIdentity Of(int fd, byte[] address)
    {
        int domain = address.Length < sizeof(ushort) ? SocketCalls.Domain(fd) : BitConverter.ToUInt16(address);
        int protocol = SocketCalls.Protocol(fd);
        bool isTcp = domain is Constant.AF_INET or Constant.AF_INET6 && SocketCalls.IsTcp(protocol);
        return new SocketIdentity(domain, isTcp ? Constant.SOCK_STREAM : SocketCalls.Type(fd), protocol);
    }
}
