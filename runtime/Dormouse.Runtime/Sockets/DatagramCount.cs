// World: restored process.
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>How much has come to a socket that nobody reads: it differs from an earlier one when something has.</summary>
/// <param name="Bytes">That wait, with what the kernel needs for them.</param>
/// <param name="Dropped">That had no place, or were filtered out; modulo 2^32.</param>
internal readonly record struct DatagramCount(uint Bytes, uint Dropped)
{
    // socket(7); SK_MEMINFO_ of include/uapi/linux/sock_diag.h. Since Linux 4.12.
    private const int MemoryInfo = 55, RmemAlloc = 0, Drops = 8, Fields = 9;

    public static DatagramCount Of(int fd)
    {
        Span<byte> info = stackalloc byte[Fields * sizeof(uint)];
        info.Clear();
        SocketCalls.Get(fd, Constant.SOL_SOCKET, MemoryInfo, info);
        return new(BitConverter.ToUInt32(info[(RmemAlloc * sizeof(uint))..]), BitConverter.ToUInt32(info[(Drops * sizeof(uint))..]));
    }
}
