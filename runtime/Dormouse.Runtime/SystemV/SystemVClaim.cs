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

/// <summary>Judges System V objects.</summary>
internal static class SystemVClaim
{
    private const int ClockTicks = 100; // USER_HZ: what the kernel shows to programs

    /// <summary>True when this process has been restored into a pod, which has an IPC namespace of its own.</summary>
    public static bool IsInPod { get; set; }

    /// <summary>This process has been restored: it is younger than what it had used before.</summary>
    public static bool IsRestored { get; set; }

    /// <param name="pids">Who has made or used it last, as far as the kernel says; 0: nobody.</param>
    /// <param name="creator">Its user.</param>
    /// <param name="times">See <see cref="Times"/>; the last is when it was made or its attributes set.</param>
    public static Claim Of(ReadOnlySpan<int> pids, uint creator, ReadOnlySpan<long> times)
    {
        if (IsInPod)
        {
            return Claim.Certain;
        }

        // Another process may have had our number before us.
        if (pids.Contains(Kernel.Pid) && (IsRestored || Latest(times) >= OwnStart()))
        {
            return Claim.Certain;
        }

        foreach (int pid in pids)
        {
            if (pid != 0 && IsAlive(pid))
            {
                return Claim.None;
            }
        }

        return creator == (uint)Kernel.Call(SystemCall.GetUid) && times[^1] >= OwnStart() ? Claim.Possible : Claim.None;
    }

    /// <summary>When an object was used and changed: the last fields of its line; seconds since the epoch.</summary>
    public static long[] Times(string[] fields) => Array.ConvertAll(fields, field => long.Parse(field, CultureInfo.InvariantCulture));

    private static long Latest(ReadOnlySpan<long> times)
    {
        long latest = 0;
        foreach (long time in times)
        {
            latest = Math.Max(latest, time);
        }

        return latest;
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
