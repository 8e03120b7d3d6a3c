// World: Guest and Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Memory;

/// <summary>Memory of our own that is left out of the image and comes back empty.</summary>
internal sealed unsafe class Scratch
{
    private Scratch(ulong start, ulong bytes)
    {
        Start = start;
        Bytes = bytes;
    }

    public ulong Start { get; }

    public ulong Bytes { get; }

    public byte* Pointer => (byte*)Start;

    /// <summary>Maps at least <paramref name="bytes"/>, zeroed.</summary>
    /// <exception cref="CheckpointException">The kernel has no memory for us.</exception>
    public static Scratch Map(ulong bytes)
    {
        bytes = (bytes + 4095) & ~4095ul;
        long address = Kernel.Call(
            SystemCall.MMap, 0, (long)bytes, Constant.PROT_READ | Constant.PROT_WRITE, Constant.MAP_PRIVATE | Constant.MAP_ANONYMOUS | Constant.MAP_NORESERVE, -1, 0);
        if (address is < 0 and > -4096)
        {
            throw new CheckpointException($"cannot get {bytes >> 20} MiB of working memory for the checkpoint: {Errno.Text(address)}. Free some memory or raise the limit (ulimit -v) and try again.");
        }

        return new Scratch((ulong)address, bytes);
    }

    public void Unmap() => Kernel.Call(SystemCall.MUnmap, (long)Start, (long)Bytes);
}
