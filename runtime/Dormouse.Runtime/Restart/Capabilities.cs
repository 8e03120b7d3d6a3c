// World: restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Restart;

/// <summary>What the checkpoint thread may do beyond the program while resources come back: capabilities(7) inside the pod.</summary>
internal static unsafe class Capabilities
{
    private const int CapSet = 126;
    private const uint Version3 = 0x20080522;

    public static void DropAll()
    {
        uint* header = stackalloc uint[] { Version3, 0 };
        uint* none = stackalloc uint[6];
        new System.Span<uint>(none, 6).Clear();
        Kernel.Call(CapSet, (long)header, (long)none);
    }
}
