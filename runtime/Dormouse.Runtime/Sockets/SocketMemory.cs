// World: Frozen, restored process.
using System;
using System.Runtime.InteropServices;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What the kernel keeps for a socket: SO_MEMINFO of socket(7), since Linux 4.12; else zeros.</summary>
/// <param name="ReceivedBytes">What waits to be read, with what the kernel needs for it.</param>
/// <param name="OptionBytes">What the program has given it to keep: a filter, keys, IPv6 extension headers.</param>
/// <param name="Dropped">Packets that had no place, or were filtered out; modulo 2^32.</param>
internal readonly record struct SocketMemory(uint ReceivedBytes, uint OptionBytes, uint Dropped)
{
    private const int Option = 55;
    private const int RmemAlloc = 0, Optmem = 6, Drops = 8, Fields = 9; // SK_MEMINFO_ of include/uapi/linux/sock_diag.h

    public static SocketMemory Of(int fd)
    {
        Span<uint> info = stackalloc uint[Fields];
        info.Clear();
        SocketCalls.Get(fd, Constant.SOL_SOCKET, Option, MemoryMarshal.AsBytes(info));
        return new(info[RmemAlloc], info[Optmem], info[Drops]);
    }
}
