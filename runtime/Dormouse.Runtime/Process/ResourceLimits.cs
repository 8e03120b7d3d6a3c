// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>getrlimit(2) of all kinds.</summary>
internal sealed unsafe class ResourceLimits
{
    private const int Count = 16;
    private readonly ulong[] _limits = new ulong[Count * 2]; // soft, hard

    public static ResourceLimits Capture()
    {
        var limits = new ResourceLimits();
        fixed (ulong* values = limits._limits)
        {
            for (int kind = 0; kind < Count; kind++)
            {
                Kernel.Call(SystemCall.PrLimit64, 0, kind, 0, (long)(values + (kind * 2)));
            }
        }

        return limits;
    }

    /// <summary>A hard limit lower than before cannot be raised without privileges: the soft one then goes as high as it may.</summary>
    public void Restore()
    {
        ulong* now = stackalloc ulong[2];
        fixed (ulong* values = _limits)
        {
            for (int kind = 0; kind < Count; kind++)
            {
                ulong* wanted = values + (kind * 2);
                if (Kernel.Call(SystemCall.PrLimit64, 0, kind, (long)wanted, 0) < 0
                    && Kernel.Call(SystemCall.PrLimit64, 0, kind, 0, (long)now) == 0)
                {
                    now[0] = wanted[0] < now[1] ? wanted[0] : now[1];
                    Kernel.Call(SystemCall.PrLimit64, 0, kind, (long)now, 0);
                }
            }
        }
    }
}
