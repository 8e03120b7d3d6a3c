// World: Frozen.
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.SystemV;

/// <summary>Whether a System V object belongs to the computation: it belongs to no process, so nobody but its traces can tell.</summary>
internal enum Claim : ulong
{
    /// <summary>Somebody else's.</summary>
    None,

    /// <summary>Of our user, not older than this process, and nobody who lives has used it: made and not used yet, or used by who has ended.</summary>
    Possible,

    /// <summary>This process has used it last, or it is in the pod's own namespace.</summary>
    Certain,
}

/// <summary>Judges the System V objects of the host, of which there may be many: what is older than we are is passed over at once.</summary>
internal sealed class SystemVClaim
{
    private const int ClockTicks = 100; // USER_HZ: what the kernel shows to programs

    private readonly long _ownStart = OwnStart();
    private readonly int _pid = Kernel.Pid;
    private readonly uint _user = (uint)Kernel.Call(SystemCall.GetUid);

    /// <summary>True when this process has been restored into a pod, which has an IPC namespace of its own.</summary>
    public static bool IsInPod { get; set; }

    /// <summary>This process has been restored: it is younger than what it had used before.</summary>
    public static bool IsRestored { get; set; }

    /// <summary>False when <see cref="Of"/> says no whoever has used it.</summary>
    /// <param name="times">When it was used and changed, the last fields of its line; seconds since the epoch.</param>
    public bool MayBeOurs(ReadOnlySpan<long> times) => IsInPod || IsRestored || Latest(times) >= _ownStart;

    /// <param name="pids">Who has made or used it last, as far as the kernel says; 0: nobody.</param>
    /// <param name="creator">Its user.</param>
    /// <param name="times">See <see cref="MayBeOurs"/>; the last is when it was made or its attributes set.</param>
    public Claim Of(ReadOnlySpan<int> pids, uint creator, ReadOnlySpan<long> times)
    {
        if (IsInPod)
        {
            return Claim.Certain;
        }

        // Another process may have had our number before us.
        if (pids.Contains(_pid) && (IsRestored || Latest(times) >= _ownStart))
        {
            return Claim.Certain;
        }

        return creator == _user && times[^1] >= _ownStart && !IsAnyAlive(pids) ? Claim.Possible : Claim.None;
    }

    private static long Latest(ReadOnlySpan<long> times)
    {
        long latest = 0;
        foreach (long time in times)
        {
            latest = Math.Max(latest, time);
        }

        return latest;
    }

    private static bool IsAnyAlive(ReadOnlySpan<int> pids)
    {
        foreach (int pid in pids)
        {
            if (pid != 0 && IsAlive(pid))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsAlive(int pid)
    {
        string[] stat = ProcFile.StatFields($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
        return stat.Length > 0 && stat[0] is not ("Z" or "X");
    }

    // Field 22 of proc_pid_stat(5), since boot; the kernel keeps the times of these objects in whole seconds.
    private static long OwnStart()
    {
        const long NanosecondsPerSecond = 1_000_000_000;
        long sinceBoot = long.Parse(ProcFile.StatFields("/proc/self/stat")[19], CultureInfo.InvariantCulture) * (NanosecondsPerSecond / ClockTicks);
        long age = Kernel.Clock(Constant.CLOCK_BOOTTIME) - sinceBoot;
        return ((Kernel.Clock(Constant.CLOCK_REALTIME) - age) / NanosecondsPerSecond) - 1;
    }
}
