// World: Frozen (capture), restored process before its threads run (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>What the program does with each signal: rt_sigaction(2).</summary>
internal sealed unsafe class SignalDispositions
{
    /// <summary>native-shim/src/suspend.c puts the disposition of its own signal back itself.</summary>
    private const int SuspendSignal = 33;
    private const int LastSignal = 64;
    private const int WordsOfAction = 4; // handler, flags, restorer, mask
    private const int MaskBytes = 8;
    private readonly ulong[] _actions = new ulong[(LastSignal + 1) * WordsOfAction];

    public static SignalDispositions Capture()
    {
        var dispositions = new SignalDispositions();
        fixed (ulong* actions = dispositions._actions)
        {
            for (int signal = 1; signal <= LastSignal; signal++)
            {
                Kernel.Call(SystemCall.RtSigAction, signal, 0, (long)(actions + (signal * WordsOfAction)), MaskBytes);
            }
        }

        return dispositions;
    }

    public void Restore()
    {
        const int Kill = 9, Stop = 19;
        fixed (ulong* actions = _actions)
        {
            for (int signal = 1; signal <= LastSignal; signal++)
            {
                if (signal is not (Kill or Stop or SuspendSignal))
                {
                    Kernel.Call(SystemCall.RtSigAction, signal, (long)(actions + (signal * WordsOfAction)), 0, MaskBytes);
                }
            }
        }
    }
}
