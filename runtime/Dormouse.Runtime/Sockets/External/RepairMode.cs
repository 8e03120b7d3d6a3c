// World: Frozen, restored process. include/uapi/linux/tcp.h, net/ipv4/tcp.c.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>A TCP socket in repair mode: its state can be read and set, and closing it sends nothing. Needs CAP_NET_ADMIN.</summary>
internal static unsafe class RepairMode
{
    public const int ReceiveQueue = 1, SendQueue = 2;
    private const int NoQueue = 0;
    private const int Repair = 19, Queue = 20, Sequence = 21, Options = 22, Timestamp = 24, Window = 29, SegmentSize = 2;
    private const int Off = 0, On = 1, OffWithoutProbe = -1;
    private const int WindowBytes = 20;

    /// <summary>0 or -errno.</summary>
    public static int Enter(int fd) => SocketCalls.SetInt(fd, SocketCalls.InternetTcp, Repair, On);

    /// <summary>Nobody notices: nothing is sent.</summary>
    public static void Leave(int fd) => Leave(fd, OffWithoutProbe);

    /// <summary>And asks the peer for a sign of life (tcp_send_window_probe): each side learns what the other has.</summary>
    public static void LeaveAndProbe(int fd) => Leave(fd, Off);

    public static void Choose(int fd, int queue) => SocketCalls.SetInt(fd, SocketCalls.InternetTcp, Queue, queue);

    public static void ChooseNone(int fd) => Choose(fd, NoQueue);

    /// <summary>Of the chosen queue: the number after its last byte.</summary>
    public static uint SequenceOf(int fd) => Number(fd, Sequence);

    public static void SetSequence(int fd, uint number) => SocketCalls.SetInt(fd, SocketCalls.InternetTcp, Sequence, (int)number);

    /// <summary>The clock that this connection puts into its packets.</summary>
    public static uint Clock(int fd) => Number(fd, Timestamp);

    public static int SetClock(int fd, uint value) => SocketCalls.SetInt(fd, SocketCalls.InternetTcp, Timestamp, (int)value);

    /// <summary>The largest segment that the peer takes.</summary>
    public static uint LargestSegment(int fd) => Number(fd, SegmentSize);

    /// <summary>struct tcp_repair_window: u32 snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup; empty when it cannot be read.</summary>
    public static byte[] ReadWindow(int fd) => SocketCalls.GetBytes(fd, SocketCalls.InternetTcp, Window, WindowBytes);

    public static int SetWindow(int fd, byte[] window) => SocketCalls.SetBytes(fd, SocketCalls.InternetTcp, Window, window);

    /// <summary>What the two ends agreed on at the beginning: struct tcp_repair_opt {u32 code, u32 value} for each.</summary>
    public static int SetOptions(int fd, byte[] options) => SocketCalls.SetBytes(fd, SocketCalls.InternetTcp, Options, options);

    // Leaving forgets SO_REUSEADDR: tcp_repair in do_tcp_setsockopt. The mark of PortReuse stays.
    private static void Leave(int fd, int how)
    {
        int reuse = SocketCalls.GetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress);
        SocketCalls.SetInt(fd, SocketCalls.InternetTcp, Repair, how);
        SocketCalls.SetInt(fd, Constant.SOL_SOCKET, SocketCalls.ReuseAddress, reuse != 0 ? 1 : 0);
    }

    private static uint Number(int fd, int option)
    {
        byte[] value = SocketCalls.GetBytes(fd, SocketCalls.InternetTcp, option, sizeof(uint));
        return value.Length < sizeof(uint) ? 0 : BitConverter.ToUInt32(value);
    }
}
