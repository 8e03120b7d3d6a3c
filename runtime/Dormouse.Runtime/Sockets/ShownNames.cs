// World: restored process (add), Frozen (look).
using System.Runtime.InteropServices;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What the program takes for the addresses of a socket, where a restart could not give it those: struct dm_shown_name of native-shim/src/shown_names.h.</summary>
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

/// <summary>All of them, of this process. A child of fork(2) inherits them; a program that is executed does not.</summary>
internal static unsafe class ShownNames
{
    private const int Cookie = 57; // SO_COOKIE
    private static readonly Dictionary<ulong, ShownName> s_names = [];
    private static ShownName* s_shown;

    /// <summary>The addresses that the program sees; those of the kernel where nothing else is known.</summary>
    public static (byte[] Local, byte[] Peer) Of(int fd, byte[] local, byte[] peer)
        => s_names.Count > 0 && s_names.TryGetValue(CookieOf(fd), out ShownName name) ? name.Addresses : (local, peer);

    /// <summary>What was known of sockets that are gone. At the beginning of a restart.</summary>
    public static void Forget() => s_names.Clear();

    /// <summary>The program has this socket, and has seen these addresses.</summary>
    public static void Expect(int fd, byte[] local, byte[] peer)
    {
        if (!local.AsSpan().SequenceEqual(SocketCalls.LocalAddress(fd)) || !peer.AsSpan().SequenceEqual(SocketCalls.PeerAddress(fd)))
        {
            ulong cookie = CookieOf(fd);
            s_names[cookie] = ShownName.Of(cookie, local, peer);
        }
    }

    /// <summary>From now on the program sees them.</summary>
    public static void Show()
    {
        ShownName* old = s_shown;
        s_shown = s_names.Count == 0 ? null : (ShownName*)NativeMemory.Alloc((nuint)s_names.Count, (nuint)sizeof(ShownName));
        int next = 0;
        foreach (ShownName name in s_names.Values)
        {
            s_shown[next++] = name;
        }

        Shim.ShowNames(s_shown, (ulong)next);
        NativeMemory.Free(old);
    }

    private static ulong CookieOf(int fd)
    {
        byte[] cookie = SocketCalls.GetBytes(fd, Constant.SOL_SOCKET, Cookie, sizeof(ulong));
        return cookie.Length < sizeof(ulong) ? 0 : BitConverter.ToUInt64(cookie);
    }
}
