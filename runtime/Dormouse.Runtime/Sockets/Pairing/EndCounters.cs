// World: Frozen. struct tcp_info, include/uapi/linux/tcp.h.
using System.Runtime.InteropServices;
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.Pairing;

/// <summary>What the kernel has counted at one end of a connection, as the coordinator compares it with what it has counted at others.</summary>
internal readonly struct EndCounters
{
    private const int LastData = 52, LastAcknowledgement = 56, BytesAcknowledged = 120, SegmentsIn = 140;
    private readonly uint _acknowledged, _outstanding, _quietMilliseconds;
    private readonly TcpState _state;

    private EndCounters(int fd, ReadOnlySpan<byte> info)
    {
        _state = TcpState.Read(info);
        _acknowledged = (uint)BitConverter.ToUInt64(info[BytesAcknowledged..]);
        Segments = BitConverter.ToUInt32(info[SegmentsIn..]);
        // keepalive_time_elapsed() in include/net/tcp.h
        _quietMilliseconds = Math.Min(BitConverter.ToUInt32(info[LastData..]), BitConverter.ToUInt32(info[LastAcknowledgement..]));
        // The end of the stream counts as a byte, as long as it is not acknowledged.
        _outstanding = (uint)Math.Max(0, SocketCalls.Unsent(fd) - (_state.IsEndOnTheWay ? 1 : 0));
    }

    /// <summary>Packets that have come, with or without data.</summary>
    public uint Segments { get; }

    /// <summary>Bytes that have come.</summary>
    public uint Received => _state.Received;

    /// <summary>The kernel sends a keepalive probe as soon as it is asked to: nothing has come for a second, and nothing waits to be sent.</summary>
    /// <remarks>tcp_keepalive_timer in net/ipv4/tcp_timer.c. A little more than a second, since it counts in its own ticks.</remarks>
    public bool CanProbeNow => _quietMilliseconds > 1010 && _outstanding == 0 && !_state.IsEndOnTheWay;

    /// <summary>A kernel too old to count all of that shows nothing that could be compared with anything.</summary>
    public static EndCounters Of(int fd)
    {
        Span<byte> info = stackalloc byte[TcpState.InfoBytes];
        return TcpState.Get(fd, info) < TcpState.InfoBytes ? default : new EndCounters(fd, info);
    }

    public EndReport Report(ulong cookie, byte[] local, byte[] peer)
        => new(cookie, _state.Sent, _outstanding, _state.Received, Segments, Flags, NameOf(local), NameOf(peer));

    private EndFlags Flags
        => Role | (_state.HasSentEnd ? EndFlags.HasSentEnd : 0) | (_state.HasSentEnd && !_state.IsEndOnTheWay ? EndFlags.IsSentEndAcknowledged : 0)
            | (_state.HasReceivedEnd ? EndFlags.HasReceivedEnd : 0);

    // Of who has connected the acknowledgement of its SYN counts as a byte, too; of who was accepted it does not: it comes with a socket
    // that is not there yet (tcp_create_openreq_child in net/ipv4/tcp_minisocks.c).
    private EndFlags Role
        => unchecked(_acknowledged - (_state.Sent - _outstanding) - (_state.HasSentEnd && !_state.IsEndOnTheWay ? 1u : 0)) switch
        {
            0 when _state.IsConnected => EndFlags.Accepted,
            1 when _state.IsConnected => EndFlags.Connected,
            _ => EndFlags.None,
        };

    private static ulong NameOf(byte[] address)
    {
        InternetAddress host = InternetAddress.Of(address);
        ReadOnlySpan<ulong> name = [host.High, host.Low, (ulong)TcpAddress.PortOf(address)];
        return ObjectKeys.Hash(MemoryMarshal.AsBytes(name));
    }
}
