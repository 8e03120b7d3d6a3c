// World: Frozen (capture), restored process before its threads run (make, start).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>timer_create(2): timers with their ids, as /proc/self/timers lists them: proc_pid_timers(5).</summary>
internal sealed unsafe class PosixTimers
{
    private const int CpuTimeOfThread = 3; // CLOCK_THREAD_CPUTIME_ID
    private readonly List<Timer> _timers = [];

    /// <param name="Value">sigev_value.</param>
    /// <param name="Notify">SIGEV_*.</param>
    /// <param name="Tid">With SIGEV_THREAD_ID: the thread that gets the signal.</param>
    /// <param name="Setting">struct itimerspec: interval, time left; each seconds, nanoseconds.</param>
    private sealed record Timer(int Id, int Signal, ulong Value, int Notify, int Tid, int Clock, long[] Setting);

    public static PosixTimers Capture()
    {
        var timers = new PosixTimers();
        string[] lines = ProcFile.ReadText("/proc/self/timers").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        const int LinesOfTimer = 4;
        for (int i = 0; i + LinesOfTimer <= lines.Length; i += LinesOfTimer)
        {
            timers._timers.Add(Parse(lines.AsSpan(i, LinesOfTimer)));
        }

        return timers;
    }

    /// <summary>What will not survive.</summary>
    public void AddLosses(List<string> losses)
    {
        foreach (Timer timer in _timers)
        {
            if (timer.Clock == CpuTimeOfThread)
            {
                losses.Add($"timer {timer.Id} counts the CPU time of the thread that made it; after a restart that of thread {ThreadOf(timer)}");
            }
        }
    }

    /// <summary>Makes them again with the same ids, not running yet. All threads must exist.</summary>
    /// <exception cref="CheckpointException">The kernel does not give the id.</exception>
    public void Make()
    {
        if (_timers.Count == 0)
        {
            return;
        }

        // Linux 6.15: the caller chooses the id. Before, ids count up from 0 in a new process.
        bool canChoose = Kernel.Call(SystemCall.Prctl, Constant.PR_TIMER_CREATE_RESTORE_IDS, 1) == 0;
        _timers.Sort((a, b) => a.Id.CompareTo(b.Id));
        foreach (Timer timer in _timers)
        {
            int error = Make(timer, canChoose);
            if (error < 0)
            {
                throw new CheckpointException($"cannot make timer {timer.Id} (clock {timer.Clock}, signal {timer.Signal}) again: {Errno.Text(error)}.");
            }
        }

        if (canChoose)
        {
            Kernel.Call(SystemCall.Prctl, Constant.PR_TIMER_CREATE_RESTORE_IDS, 0);
        }
    }

    /// <summary>Lets them run, with the time that was left.</summary>
    public void Start()
    {
        foreach (Timer timer in _timers)
        {
            if (timer.Setting[2] != 0 || timer.Setting[3] != 0)
            {
                fixed (long* setting = timer.Setting)
                {
                    Kernel.Call(SystemCall.TimerSetTime, timer.Id, 0, (long)setting, 0);
                }
            }
        }
    }

    // ID: 0 | signal: 34/00007ffd5e1c0a10 | notify: signal/tid.4711 | ClockID: 1
    private static Timer Parse(ReadOnlySpan<string> lines)
    {
        int id = Number(After(lines[0], ':'));
        string[] signal = After(lines[1], ':').Split('/');
        string[] notify = After(lines[2], ':').Split('/', '.');
        int how = notify[0] switch
        {
            "none" => Constant.SIGEV_NONE,
            "thread" => Constant.SIGEV_THREAD,
            _ => Constant.SIGEV_SIGNAL,
        };
        how |= notify[1] == "tid" ? Constant.SIGEV_THREAD_ID : 0;
        long[] setting = new long[4];
        fixed (long* at = setting)
        {
            Kernel.Call(SystemCall.TimerGetTime, id, (long)at);
        }

        return new Timer(id, Number(signal[0]), ulong.Parse(signal[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), how, Number(notify[2]), Number(After(lines[3], ':')), setting);
    }

    private static int Make(Timer timer, bool canChoose)
    {
        // struct sigevent, 64 bytes: value | signal, how | thread.
        ulong* wanted = stackalloc ulong[8];
        new Span<ulong>(wanted, 8).Clear();
        wanted[0] = timer.Value;
        wanted[1] = (uint)timer.Signal | ((ulong)(uint)timer.Notify << 32);
        wanted[2] = (timer.Notify & Constant.SIGEV_THREAD_ID) != 0 ? (uint)timer.Tid : 0;
        int clock = timer.Clock == CpuTimeOfThread ? CpuClockOf(ThreadOf(timer)) : timer.Clock;
        for (; ; )
        {
            int id = timer.Id;
            int error = (int)Kernel.Call(SystemCall.TimerCreate, clock, (long)wanted, (long)&id);
            if (error < 0 || id == timer.Id)
            {
                return error;
            }

            Kernel.Call(SystemCall.TimerDelete, id);
            if (canChoose || id > timer.Id)
            {
                return -Errno.Exists;
            }
        }
    }

    private static int ThreadOf(Timer timer) => (timer.Notify & Constant.SIGEV_THREAD_ID) != 0 ? timer.Tid : Kernel.Pid;

    // include/linux/posix-timers_types.h: ~tid << 3 | CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED
    private static int CpuClockOf(int tid) => (~tid << 3) | 6;

    private static string After(string line, char separator) => line[(line.IndexOf(separator, StringComparison.Ordinal) + 1)..].Trim();

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
