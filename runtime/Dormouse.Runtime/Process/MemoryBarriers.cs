// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>
/// That a process means to use the fast kinds of membarrier(2), which the kernel keeps with its memory. The runtime of .NET ends the
/// program when a kind that it has registered is refused.
/// </summary>
internal sealed class MemoryBarriers
{
    // enum membarrier_cmd of include/uapi/linux/membarrier.h; each is registered with the command of twice its value.
    private const int GlobalExpedited = 1 << 1;
    private const int PrivateExpedited = 1 << 3;
    private const int SyncCore = 1 << 5;
    private const int RestartableSequences = 1 << 7;
    private const int GetRegistrations = 1 << 9;

    private static readonly int[] s_private = [PrivateExpedited, SyncCore, RestartableSequences];
    private int _registered;

    public static MemoryBarriers Capture()
    {
        // Before Linux 6.3 nobody tells; but a private kind is refused to who has not registered it.
        long told = Kernel.Call(SystemCall.Membarrier, GetRegistrations);
        int registered = told < 0 ? 0 : (int)told;
        if (told < 0)
        {
            foreach (int command in s_private)
            {
                registered |= Kernel.Call(SystemCall.Membarrier, command) == 0 ? command << 1 : 0;
            }
        }

        return new MemoryBarriers { _registered = registered };
    }

    public void Restore()
    {
        foreach (int command in (int[])[GlobalExpedited, .. s_private])
        {
            if ((_registered & (command << 1)) != 0)
            {
                Kernel.Call(SystemCall.Membarrier, command << 1);
            }
        }
    }
}
