// World: Frozen (capture), restored process (restore).
using System.Globalization;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>getrlimit(2) of all kinds.</summary>
internal sealed unsafe class ResourceLimits
{
    private const int Count = 16;

    // asm-generic/resource.h, in this order.
    private static readonly string[] s_names =
    [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK",
        "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ];

    private readonly Limit[] _limits = new Limit[Count];

    public static ResourceLimits Capture()
    {
        var limits = new ResourceLimits();
        for (int kind = 0; kind < Count; kind++)
        {
            limits._limits[kind] = MemoryLimits.Has(kind) ? MemoryLimits.OfProgram(kind) : Read(kind);
        }

        limits._limits[DescriptorLimit.Kind] = DescriptorLimit.OfProgram;
        return limits;
    }

    public static Limit Read(int kind)
    {
        Limit now;
        Kernel.Call(SystemCall.PrLimit64, 0, kind, 0, (long)&now);
        return now;
    }

    /// <summary>A hard limit lower than wanted cannot be raised without privileges: the soft one then goes as high as it may.</summary>
    public static void Set(int kind, Limit wanted)
    {
        Limit now;
        if (Kernel.Call(SystemCall.PrLimit64, 0, kind, (long)&wanted, 0) < 0
            && Kernel.Call(SystemCall.PrLimit64, 0, kind, 0, (long)&now) == 0)
        {
            now = now with { Soft = Math.Min(wanted.Soft, now.Hard) };
            Kernel.Call(SystemCall.PrLimit64, 0, kind, (long)&now, 0);
        }
    }

    /// <summary>Open files, until the program has all of its own again: <see cref="DescriptorLimit.GiveBack"/>.</summary>
    public void RaiseOpenFiles(int floor)
    {
        DescriptorLimit.Inherit(_limits[DescriptorLimit.Kind]);
        DescriptorLimit.RaiseAbove(floor);
    }

    /// <summary>All others; those of memory when the program goes on: <see cref="MemoryLimits.GiveBack"/>.</summary>
    public void Restore()
    {
        MemoryLimits.Inherit(_limits);
        for (int kind = 0; kind < Count; kind++)
        {
            if (kind != DescriptorLimit.Kind && !MemoryLimits.Has(kind))
            {
                Set(kind, _limits[kind]);
            }
        }
    }

    /// <summary>Says which ones are lower than they were.</summary>
    public void Warn()
    {
        for (int kind = 0; kind < Count; kind++)
        {
            Limit now;
            if (Kernel.Call(SystemCall.PrLimit64, 0, kind, 0, (long)&now) == 0 && now.Hard < _limits[kind].Soft)
            {
                RestartStdio.WarnOfProcess($"{s_names[kind]} was {Text(_limits[kind].Soft)} and is {now.Hard} here, which only root may raise");
            }
        }
    }

    private static string Text(ulong limit) => limit == ulong.MaxValue ? "unlimited" : limit.ToString(CultureInfo.InvariantCulture);
}
