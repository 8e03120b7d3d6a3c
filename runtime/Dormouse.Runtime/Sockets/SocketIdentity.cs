// World: Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What socket(2) and listen(2) have made of it: socket(7), SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_ACCEPTCONN.</summary>
internal readonly record struct SocketIdentity(int Domain, int Type, int Protocol, bool IsListening)
{
    public static SocketIdentity Of(int fd)
    {
        int domain = SocketCalls.Domain(fd), protocol = SocketCalls.Protocol(fd);
        bool isTcp = domain is Constant.AF_INET or Constant.AF_INET6 && SocketCalls.IsTcp(protocol);
        return new SocketIdentity(domain, isTcp ? Constant.SOCK_STREAM : SocketCalls.Type(fd), protocol, SocketCalls.IsListening(fd));
    }
}
