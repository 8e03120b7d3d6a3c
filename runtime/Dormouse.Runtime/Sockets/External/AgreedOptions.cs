// World: Frozen. include/uapi/linux/tcp.h: struct tcp_info, struct tcp_repair_opt; option numbers: RFC 9293, 7323, 2018.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>What the two ends of a connection agreed on when they made it.</summary>
internal static class AgreedOptions
{
    private const int TcpInfo = 11, InfoBytes = 104, OptionsAt = 5, ScalesAt = 6;
    private const int HasTimestamps = 1, HasSelectiveAcknowledgements = 2, HasScales = 4;
    private const uint LargestSegment = 2, WindowScale = 3, SelectiveAcknowledgements = 4, Timestamps = 8;

    /// <summary>As <see cref="RepairMode.SetOptions"/> takes it. The socket is in repair mode.</summary>
    public static byte[] Read(int fd)
    {
        byte[] info = SocketCalls.GetBytes(fd, SocketCalls.InternetTcp, TcpInfo, InfoBytes);
        var options = new List<byte>();
        Add(options, LargestSegment, RepairMode.LargestSegment(fd));
        if ((info[OptionsAt] & HasScales) != 0)
        {
            // The peer's scale in the low nibble, ours above; for the kernel in the two halves of a number.
            Add(options, WindowScale, (uint)(info[ScalesAt] & 0xF) | ((uint)(info[ScalesAt] >> 4) << 16));
        }

        if ((info[OptionsAt] & HasSelectiveAcknowledgements) != 0)
        {
            Add(options, SelectiveAcknowledgements, 0);
        }

        if ((info[OptionsAt] & HasTimestamps) != 0)
        {
            Add(options, Timestamps, 0);
        }

        return options.ToArray();
    }

    private static void Add(List<byte> options, uint code, uint value)
    {
        options.AddRange(BitConverter.GetBytes(code));
        options.AddRange(BitConverter.GetBytes(value));
    }
}
