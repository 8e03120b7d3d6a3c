// World: Frozen, restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>System calls of sockets: socket(7).</summary>
internal static unsafe class SocketCalls
{
    /// <summary>struct sockaddr_un with an abstract name, unix(7): the first byte of the path is 0.</summary>
    public static byte[] AbstractAddress(string name) => [Constant.AF_UNIX, 0, 0, .. System.Text.Encoding.ASCII.GetBytes(name)];

    public const int InternetTcp = 6;
    public const int InternetUdp = 17;

    /// <summary>SO_REUSEADDR, SO_OOBINLINE, SO_PEEK_OFF.</summary>
    public const int ReuseAddress = 2, UrgentInline = 10, PeekOffset = 42;

    private const int MultipathTcp = 262;
    private const int SocketDomain = 39, SocketType = 3, SocketProtocol = 38, SocketAccepts = 30;
    private const int LargestAddress = 128;

    /// <summary>Multipath TCP, too, which is what listeners of Go are. Its connections come back as plain ones, over one path.</summary>
    public static bool IsTcp(int protocol) => protocol is InternetTcp or MultipathTcp;

    public static int Domain(int fd) => GetInt(fd, Constant.SOL_SOCKET, SocketDomain);

    public static int Type(int fd) => GetInt(fd, Constant.SOL_SOCKET, SocketType);

    public static int Protocol(int fd) => GetInt(fd, Constant.SOL_SOCKET, SocketProtocol);

    public static bool IsListening(int fd) => GetInt(fd, Constant.SOL_SOCKET, SocketAccepts) == 1;

    /// <summary>The option, or -errno.</summary>
    public static int GetInt(int fd, int level, int option)
    {
        int value = 0, length = sizeof(int);
        int error = (int)Kernel.Call(SystemCall.GetSockOpt, fd, level, option, (long)&value, (long)&length);
        return error < 0 ? error : value;
    }

    /// <summary>Reads an option to the beginning of <paramref name="value"/>; its length, or -errno.</summary>
    public static int Get(int fd, int level, int option, Span<byte> value)
    {
        int length = value.Length;
        fixed (byte* at = value)
        {
            int error = (int)Kernel.Call(SystemCall.GetSockOpt, fd, level, option, (long)at, (long)&length);
            return error < 0 ? error : length;
        }
    }

    public static int SetInt(int fd, int level, int option, int value)
        => (int)Kernel.Call(SystemCall.SetSockOpt, fd, level, option, (long)&value, sizeof(int));

    public static byte[] GetBytes(int fd, int level, int option, int bytes)
    {
        Span<byte> value = stackalloc byte[bytes];
        int length = Get(fd, level, option, value);
        return length < 0 ? [] : value[..length].ToArray();
    }

    public static int SetBytes(int fd, int level, int option, byte[] value)
    {
        fixed (byte* at = value)
        {
            return (int)Kernel.Call(SystemCall.SetSockOpt, fd, level, option, (long)at, value.Length);
        }
    }

    /// <summary>getsockname(2); empty when it fails.</summary>
    public static byte[] LocalAddress(int fd) => Address(SystemCall.GetSockName, fd);

    /// <summary>getpeername(2); empty when not connected.</summary>
    public static byte[] PeerAddress(int fd) => Address(SystemCall.GetPeerName, fd);

    public static int Create(int domain, int type, int protocol)
        => (int)Kernel.Call(SystemCall.Socket, domain, type | Constant.SOCK_CLOEXEC, protocol);

    public static int Bind(int fd, byte[] address) => WithAddress(SystemCall.Bind, fd, address);

    public static int Connect(int fd, byte[] address) => WithAddress(SystemCall.Connect, fd, address);

    /// <summary>connect(2) that does not wait longer than that; blocking again when it is done.</summary>
    public static int ConnectWithin(int fd, byte[] address, int milliseconds)
    {
        const int SocketError = 4;
        Kernel.Fcntl(fd, Constant.F_SETFL, Constant.O_NONBLOCK);
        int error = Connect(fd, address);
        if (error == -Errno.InProgress)
        {
            error = Kernel.Poll(fd, Constant.POLLOUT, milliseconds) != 0 ? -GetInt(fd, Constant.SOL_SOCKET, SocketError) : -Errno.TimedOut;
        }

        Kernel.Fcntl(fd, Constant.F_SETFL, 0);
        return error;
    }

    /// <summary>Of datagram sockets: connect(2) to AF_UNSPEC.</summary>
    public static int Disconnect(int fd) => Connect(fd, new byte[16]);

    public static int Listen(int fd, int backlog) => (int)Kernel.Call(SystemCall.Listen, fd, backlog);

    public static int Accept(int fd) => (int)Kernel.Call(SystemCall.Accept4, fd, 0, 0, Constant.SOCK_CLOEXEC);

    public static int Shutdown(int fd, int how) => (int)Kernel.Call(SystemCall.Shutdown, fd, how);

    /// <summary>One number for each socket, whoever holds it, until the host starts anew: SO_COOKIE, socket(7).</summary>
    public static ulong Cookie(int fd)
    {
        const int CookieOption = 57;
        byte[] cookie = GetBytes(fd, Constant.SOL_SOCKET, CookieOption, sizeof(ulong));
        return cookie.Length < sizeof(ulong) ? 0 : BitConverter.ToUInt64(cookie);
    }

    /// <summary>Bytes sent that the peer's kernel does not have yet (SIOCOUTQ, tcp(7)).</summary>
    public static int Unsent(int fd)
    {
        int bytes = 0;
        Kernel.Ioctl(fd, 0x5411, &bytes);
        return bytes;
    }

    /// <summary>Bytes that can be read (FIONREAD); of an urgent byte, those before it.</summary>
    public static int Unread(int fd)
    {
        int bytes = 0;
        Kernel.Ioctl(fd, 0x541B, &bytes);
        return bytes;
    }

    private static byte[] Address(int call, int fd)
    {
        byte* address = stackalloc byte[LargestAddress];
        int length = LargestAddress;
        return Kernel.Call(call, fd, (long)address, (long)&length) < 0 ? [] : new ReadOnlySpan<byte>(address, length).ToArray();
    }

    private static int WithAddress(int call, int fd, byte[] address)
    {
        fixed (byte* at = address)
        {
            return (int)Kernel.Call(call, fd, (long)at, address.Length);
        }
    }
}
