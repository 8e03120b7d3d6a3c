// World: Guest and Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>
/// Whether the process may be looked at: PR_SET_DUMPABLE. The files in /proc of one that may not (ssh-agent) belong to root, also for
/// itself, so it is made so while we look.
/// </summary>
internal static class Dumpability
{
    private const int Dumpable = 1;
    private static long s_before = Dumpable;
    private static bool s_isOpen;

    /// <summary>Notes what the program has wanted, and opens the files.</summary>
    public static void Open()
    {
        s_before = Kernel.Call(SystemCall.Prctl, Constant.PR_GET_DUMPABLE);
        s_isOpen = true;
        Set(Dumpable);
    }

    /// <summary>In a restored process: threads that have given up credentials have closed them.</summary>
    public static void OpenAgain() => Set(Dumpable);

    /// <summary>As the program has wanted it, when anything was changed.</summary>
    public static void Close()
    {
        if (s_isOpen)
        {
            Set(s_before);
        }

        s_isOpen = false;
    }

    // 2, which only root may look at, can be had by exec(2) only; 0 forbids as much.
    private static void Set(long value) => Kernel.Call(SystemCall.Prctl, Constant.PR_SET_DUMPABLE, value == Dumpable ? value : 0);
}
