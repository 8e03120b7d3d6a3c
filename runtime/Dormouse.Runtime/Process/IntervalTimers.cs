// World: Frozen (capture), restored process before its threads run (restore).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>The three timers of setitimer(2); alarm(2) is the first.</summary>
internal sealed unsafe class IntervalTimers
{
    private const int Count = 3;
    private const int WordsOfTimer = 4; // struct itimerval: interval, value; each seconds, microseconds
    private readonly long[] _timers = new long[Count * WordsOfTimer];

    public static IntervalTimers Capture()
    {
        var timers = new IntervalTimers();
        fixed (long* values = timers._timers)
        {
            for (int which = 0; which < Count; which++)
            {
                Kernel.Call(SystemCall.GetITimer, which, (long)(values + (which * WordsOfTimer)));
            }
        }

        return timers;
    }

    public void Restore()
    {
        fixed (long* values = _timers)
        {
            for (int which = 0; which < Count; which++)
            {
                long* timer = values + (which * WordsOfTimer);
                if (timer[2] != 0 || timer[3] != 0)
                {
                    Kernel.Call(SystemCall.SetITimer, which, (long)timer, 0);
                }
            }
        }
    }
}
