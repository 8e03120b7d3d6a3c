// World: Frozen. struct tcp_info, include/uapi/linux/tcp.h.
namespace Dormouse.Runtime.Sockets;

/// <summary>How many bytes the program has sent through one end, and how many have come to it, modulo 2^32; without what marks beginning and end.</summary>
internal readonly record struct TcpProgress(uint Sent, uint Received)
{
    private const int TcpInfo = 11, InfoBytes = 216, BytesReceived = 128, NotSent = 144, BytesSent = 200, BytesSentAgain = 208;

    public static TcpProgress Of(int fd)
    {
        byte[] info = SocketCalls.GetBytes(fd, SocketCalls.InternetTcp, TcpInfo, InfoBytes);
        if (info.Length < InfoBytes)
        {
            return default;
        }

        // tcp_fin() takes the end of the stream for a byte that has come; retransmissions are counted twice as sent.
        uint end = TcpState.Of(fd).HasReceivedEnd ? 1u : 0;
        return new TcpProgress(
            (uint)(BitConverter.ToUInt64(info, BytesSent) - BitConverter.ToUInt64(info, BytesSentAgain)) + BitConverter.ToUInt32(info, NotSent),
            (uint)BitConverter.ToUInt64(info, BytesReceived) - end);
    }
}
