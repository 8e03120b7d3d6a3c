// World: Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What socket(2) and listen(2) have made of it: socket(7), SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_ACCEPTCONN.</summary>
internal readonly record struct SocketIdentity(int Domain, int Type, int Protocol, bool IsListening)
{
    public static SocketIdentity Of(int fd)
        => new(SocketCalls.Domain(fd), SocketCalls.Type(fd), SocketCalls.Protocol(fd), SocketCalls.IsListening(fd));
}
