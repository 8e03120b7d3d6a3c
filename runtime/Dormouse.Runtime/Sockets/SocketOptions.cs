// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>Options of a socket, read back from the kernel: socket(7), tcp(7), ip(7), ipv6(7), unix(7).</summary>
internal sealed class SocketOptions
{
    private const int Ip = 0, Tcp = 6, Ipv6 = 41, V6Only = 26;
    private const int BufferLock = 72, SendBuffer = 7, ReceiveBuffer = 8, SendLocked = 1, ReceiveLocked = 2;

    private readonly record struct Option(int Level, int Number, int Bytes);

    // Settable ones whose value getsockopt gives back as it was set.
    private static readonly Option[] s_general =
    [
        new(Constant.SOL_SOCKET, 2, 4), new(Constant.SOL_SOCKET, 6, 4), new(Constant.SOL_SOCKET, 9, 4), new(Constant.SOL_SOCKET, 10, 4),
        new(Constant.SOL_SOCKET, 12, 4), new(Constant.SOL_SOCKET, 13, 8), new(Constant.SOL_SOCKET, 15, 4), new(Constant.SOL_SOCKET, 16, 4),
        new(Constant.SOL_SOCKET, 18, 4), new(Constant.SOL_SOCKET, 20, 16), new(Constant.SOL_SOCKET, 21, 16), new(Constant.SOL_SOCKET, 29, 4),
    ];

    private static readonly Option[] s_tcp =
    [
        new(Tcp, 1, 4), new(Tcp, 3, 4), new(Tcp, 4, 4), new(Tcp, 5, 4), new(Tcp, 6, 4), new(Tcp, 9, 4), new(Tcp, 18, 4),
    ];

    private static readonly Option[] s_v4 = [new(Ip, 1, 4), new(Ip, 2, 4), new(Ip, 8, 4), new(Ip, 15, 4), new(Ip, 33, 4), new(Ip, 34, 1)];

    private static readonly Option[] s_v6 = [new(Ipv6, 16, 4), new(Ipv6, 18, 4), new(Ipv6, 49, 4), new(Ipv6, 67, 4)];

    private readonly List<(Option Option, byte[] Value)> _values = [];
    private int _v6Only = -1;
    private int _sendBuffer;
    private int _receiveBuffer;

    public static SocketOptions Capture(int fd, int domain, int protocol)
    {
        var options = new SocketOptions();
        options.Read(fd, s_general);
        if (protocol == SocketCalls.InternetTcp)
        {
            options.Read(fd, s_tcp);
        }

        if (domain == Constant.AF_INET)
        {
            options.Read(fd, s_v4);
        }
        else if (domain == Constant.AF_INET6)
        {
            options.Read(fd, s_v6);
            options._v6Only = SocketCalls.GetInt(fd, Ipv6, V6Only);
        }

        int locked = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, BufferLock);
        options._sendBuffer = locked > 0 && (locked & SendLocked) != 0 ? SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SendBuffer) / 2 : 0;
        options._receiveBuffer = locked > 0 && (locked & ReceiveLocked) != 0 ? SocketCalls.GetInt(fd, Constant.SOL_SOCKET, ReceiveBuffer) / 2 : 0;
        return options;
    }

    /// <summary>What must be there before a name or contents are: IPV6_V6ONLY, buffer sizes.</summary>
    public void RestoreBeforeUse(int fd)
    {
        if (_v6Only >= 0)
        {
            SocketCalls.SetInt(fd, Ipv6, V6Only, _v6Only);
        }

        if (_sendBuffer > 0)
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SendBuffer, _sendBuffer);
        }

        if (_receiveBuffer > 0)
        {
            SocketCalls.SetInt(fd, Constant.SOL_SOCKET, ReceiveBuffer, _receiveBuffer);
        }
    }

    public void Restore(int fd)
    {
        foreach ((Option option, byte[] value) in _values)
        {
            SocketCalls.SetBytes(fd, option.Level, option.Number, value);
        }
    }

    private void Read(int fd, Option[] wanted)
    {
        foreach (Option option in wanted)
        {
            byte[] value = SocketCalls.GetBytes(fd, option.Level, option.Number, option.Bytes);
            if (value.Length > 0)
            {
                _values.Add((option, value));
            }
        }
    }
}
