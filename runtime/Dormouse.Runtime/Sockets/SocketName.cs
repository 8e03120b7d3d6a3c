// World: restored process.
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Gives a socket its name back: bind(2).</summary>
internal static class SocketName
{
    private const int V6Only = 26, Ipv6 = 41;
    private const int FamilyBytes = 2;

    /// <summary>Binds a socket to what the program takes for its address: that is elsewhere on another host, and may have another port
    /// there. Clients that the computation knows find it all the same.</summary>
    /// <exception cref="CheckpointException">The name is taken.</exception>
    public static void BindShown(int fd, int domain, int protocol, byte[] shown, string what)
    {
        if (!IsBound(domain, shown) || domain == Constant.AF_UNIX)
        {
            Bind(fd, domain, shown, what);
            return;
        }

        byte[] now = OldAddresses.ToNow(shown);
        int error = OldAddresses.IsTaken(protocol, shown) ? -Errno.AddressInUse : TryBind(fd, domain, now);
        bool mayMove = OldAddresses.AreUsed || (SocketCalls.IsTcp(protocol) && OldAddresses.CanMovePorts && EndedConnections.Hold(now));
        if (error == -Errno.AddressInUse && mayMove)
        {
            error = SocketCalls.Bind(fd, TcpAddress.WithPort(now, 0));
            if (error == 0)
            {
                OldAddresses.Moved(protocol, shown, SocketCalls.LocalAddress(fd));
            }
        }

        Check(error, shown, what);
    }

    /// <exception cref="CheckpointException">The name is taken or the address is not here.</exception>
    public static void Bind(int fd, int domain, byte[] address, string what)
    {
        if (IsBound(domain, address))
        {
            Check(TryBind(fd, domain, address), address, what);
        }
    }

    /// <returns>0 or -errno.</returns>
    public static int TryBind(int fd, int domain, byte[] address)
    {
        bool isInternet = domain is Constant.AF_INET or Constant.AF_INET6;
        if (isInternet)
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress, 1);
        }
        else if (PathOf(address) is { } path)
        {
            RemoveStale(path);
        }

        using var there = SocketDirectory.Enter(address);
        int error = SocketCalls.Bind(fd, address);
        var patience = new PortPatience(SocketCalls.Type(fd) == Constant.SOCK_STREAM);
        while (isInternet && error == -Errno.AddressInUse && patience.TryAgain(address))
        {
            error = SocketCalls.Bind(fd, address);
        }

        return isInternet && error == -Errno.AddressNotAvailable ? SocketCalls.Bind(fd, HereInsteadOf(domain, address)) : error;
    }

    /// <summary>connect(2); a name of AF_UNIX means what it did when it was bound.</summary>
    public static int Connect(int fd, byte[] address)
    {
        using var there = SocketDirectory.Enter(address);
        return SocketCalls.Connect(fd, address);
    }

    private static void Check(int error, byte[] address, string what)
    {
        if (error < 0)
        {
            throw new CheckpointException($"{what} cannot be bound to {Text(address)} again: {Errno.Text(error)}. Stop the program that uses this name and run dmrestart again.");
        }
    }

    /// <summary>The address under which this host reaches the coordinator; on the coordinator's own host a loopback one.</summary>
    public static byte[] Here { get; set; } = [];

    // An address of the host where the program has slept: the same port, where other hosts of the computation come from.
    private static byte[] HereInsteadOf(int domain, byte[] address)
    {
        int port = TcpAddress.PortOf(address);
        return Here.Length == 0 || TcpAddress.IsLoopback(Here) || !TcpAddress.Fits(domain, Here)
            ? TcpAddress.WithPort(TcpAddress.Any(domain), port)
            : TcpAddress.WithPort(TcpAddress.For(domain, Here), port);
    }

    public static bool IsBound(int domain, byte[] address) => domain switch
    {
        Constant.AF_UNIX => address.Length > FamilyBytes,
        Constant.AF_INET or Constant.AF_INET6 => address.Length > 4 && (address[2] | address[3]) != 0,
        _ => false,
    };

    /// <summary>An internet address without its port.</summary>
    public static string HostText(byte[] address)
        => address[0] == Constant.AF_INET ? $"{address[4]}.{address[5]}.{address[6]}.{address[7]}" : V6Text(address.AsSpan(8, 16));

    public static string Text(byte[] address)
    {
        if (address.Length < 4)
        {
            return "no address";
        }

        int port = (address[2] << 8) | address[3];
        return (address[0] | (address[1] << 8)) switch
        {
            Constant.AF_UNIX => address[2] == 0 ? "@" + KernelText.FromBytes(address.AsSpan(3)) : PathOf(address)!,
            Constant.AF_INET => $"{HostText(address)}:{port}",
            Constant.AF_INET6 => $"[{HostText(address)}]:{port}",
            _ => $"port {port}",
        };
    }

    // RFC 5952: the longest run of two or more zero groups becomes "::".
    private static string V6Text(ReadOnlySpan<byte> address)
    {
        int longest = 0, at = -1;
        for (int i = 0; i < 8; i++)
        {
            int length = 0;
            while (i + length < 8 && address[2 * (i + length)] == 0 && address[(2 * (i + length)) + 1] == 0)
            {
                length++;
            }

            if (length > Math.Max(longest, 1))
            {
                (longest, at) = (length, i);
            }
        }

        var text = new System.Text.StringBuilder();
        for (int i = 0; i < 8; i++)
        {
            if (i == at)
            {
                text.Append("::");
                i += longest - 1;
                continue;
            }

            text.Append(text.Length > 0 && text[^1] != ':' ? ":" : "");
            text.Append(((address[2 * i] << 8) | address[(2 * i) + 1]).ToString("x", System.Globalization.CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>Where the file of the socket lies; null: it has none.</summary>
    public static string? PathOf(byte[] address) => NameOf(address) is { } name ? SocketDirectory.Resolve(name) : null;

    /// <summary>The same as it was bound: it may be relative.</summary>
    public static string? NameOf(byte[] address)
    {
        if (address.Length <= FamilyBytes || address[0] != Constant.AF_UNIX || address[FamilyBytes] == 0)
        {
            return null;
        }

        ReadOnlySpan<byte> path = address.AsSpan(FamilyBytes);
        int end = path.IndexOf((byte)0);
        return KernelText.FromBytes(end < 0 ? path : path[..end]);
    }

    // The file of the socket that is gone is still there, or its directory is not.
    private static void RemoveStale(string path)
    {
        if (Kernel.Stat(path, out FileStatus status) == 0)
        {
            if (status.Type == FileStatus.Socket)
            {
                Kernel.Unlink(path);
            }
        }
        else
        {
            Directories.MakeParents(path);
        }
    }
}
