// World: restored process (add), Frozen (look).
using System.Runtime.InteropServices;
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What the program takes for the addresses of a socket, where a restart could not give it those: struct dm_shown_name of native-shim/src/old_addresses.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ShownName
{
    public const int MostBytes = 28;

    public ulong Cookie;
    public uint LocalBytes, PeerBytes;
    public fixed byte Local[MostBytes];
    public fixed byte Peer[MostBytes];

    public static ShownName Of(ulong cookie, byte[] local, byte[] peer)
    {
        ShownName name = default;
        name.Cookie = cookie;
        (name.LocalBytes, name.PeerBytes) = ((uint)Math.Min(local.Length, MostBytes), (uint)Math.Min(peer.Length, MostBytes));
        local.AsSpan(0, (int)name.LocalBytes).CopyTo(new Span<byte>(name.Local, MostBytes));
        peer.AsSpan(0, (int)name.PeerBytes).CopyTo(new Span<byte>(name.Peer, MostBytes));
        return name;
    }

    public (byte[] Local, byte[] Peer) Addresses
    {
        get
        {
            fixed (byte* local = Local, peer = Peer)
            {
                return (new ReadOnlySpan<byte>(local, (int)LocalBytes).ToArray(), new ReadOnlySpan<byte>(peer, (int)PeerBytes).ToArray());
            }
        }
    }
}

/// <summary>
/// Names of sockets that cannot be told from their addresses (<see cref="OldAddresses"/>), because the ports are others. A child of
/// fork(2) inherits them, and so does a program that is executed, at least the first ones.
/// </summary>
internal static class ShownNames
{
    private static readonly Dictionary<ulong, ShownName> s_names = [];

    /// <summary>The addresses that the program sees.</summary>
    public static (byte[] Local, byte[] Peer) Of(int fd, int protocol, byte[] local, byte[] peer)
    {
        (byte[] shownLocal, byte[] shownPeer) = s_names.Count > 0 && s_names.TryGetValue(SocketCalls.Cookie(fd), out ShownName name) ? name.Addresses : ([], []);
        return (
            shownLocal.Length > 0 ? shownLocal : OldAddresses.ToShown(local, protocol, isOwn: true),
            shownPeer.Length > 0 ? shownPeer : OldAddresses.ToShown(peer, protocol, isOwn: false));
    }

    /// <summary>What was known of sockets that are gone. At the beginning of a restart.</summary>
    public static void Forget() => s_names.Clear();

    /// <summary>The program has this socket, and has seen these addresses; empty: it may have any peer later.</summary>
    public static void Expect(int fd, int protocol, byte[] local, byte[] peer)
    {
        bool isLocalKnown = local.AsSpan().SequenceEqual(OldAddresses.ToShown(SocketCalls.LocalAddress(fd), protocol, isOwn: true));
        bool isPeerKnown = peer.Length == 0 || peer.AsSpan().SequenceEqual(OldAddresses.ToShown(SocketCalls.PeerAddress(fd), protocol, isOwn: false));
        if (!isLocalKnown || !isPeerKnown)
        {
            ulong cookie = SocketCalls.Cookie(fd);
            s_names[cookie] = ShownName.Of(cookie, local, peer);
        }
    }

    /// <summary>From now on the program sees them.</summary>
    public static void Show()
    {
        if (s_names.Count > 0)
        {
            ShownName[] names = new ShownName[s_names.Count];
            s_names.Values.CopyTo(names, 0);
            OldAddresses.Use(names);
        }
    }
}
