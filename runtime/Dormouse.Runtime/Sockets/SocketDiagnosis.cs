// World: Frozen, restored process. sock_diag(7).
namespace Dormouse.Runtime.Sockets;

/// <summary>Asks the kernel about sockets, also about those that no process has a descriptor of.</summary>
internal static class SocketDiagnosis
{
    private const int ByFamily = 20 /* SOCK_DIAG_BY_FAMILY */, SockDestroy = 21;
    private static NetlinkSocket? s_netlink;

    /// <summary>One socket; no answer when there is none, or the kernel does not tell.</summary>
    /// <param name="request">A family's request, without struct nlmsghdr.</param>
    public static void Ask(ReadOnlySpan<byte> request, NetlinkSocket.Reader reader) => Tell(ByFamily, request, 0, reader);

    /// <summary>All sockets that match.</summary>
    public static void List(ReadOnlySpan<byte> request, NetlinkSocket.Reader reader) => Tell(ByFamily, request, NetlinkMessages.Dump, reader);

    /// <summary>Ends one socket, whoever has it. False where the kernel cannot (CONFIG_INET_DIAG_DESTROY), or without CAP_NET_ADMIN.</summary>
    public static bool Destroy(ReadOnlySpan<byte> request) => Tell(SockDestroy, request, NetlinkMessages.Acknowledge, null) == 0;

    /// <summary>At the end of a checkpoint's questions.</summary>
    public static void Close()
    {
        s_netlink?.Dispose();
        s_netlink = null;
    }

    private static int Tell(int type, ReadOnlySpan<byte> request, int flags, NetlinkSocket.Reader? reader)
    {
        var messages = new NetlinkMessages();
        messages.Begin(type, flags, request);
        s_netlink ??= new NetlinkSocket(NetlinkSocket.SocketDiagnosis);
        return s_netlink.Tell(messages, reader);
    }
}
