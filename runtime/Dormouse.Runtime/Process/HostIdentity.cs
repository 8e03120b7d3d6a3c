using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>Which host, or pod, a process lives in: where PIDs and kernel objects are the same ones.</summary>
internal static class HostIdentity
{
    public static string Name => ProcFile.ReadText("/proc/sys/kernel/hostname");

    /// <summary>False in a PID namespace of its own without a /proc of its own: nothing can be learned about oneself there.</summary>
    public static bool HasOwnProc
        => Kernel.ReadLink("/proc/self") == Kernel.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Boot id and network namespace: where a loopback address is the same one.</summary>
    public static string Network
    {
        get
        {
            Kernel.Stat("/proc/self/ns/net", out FileStatus status);
            return ProcFile.ReadText("/proc/sys/kernel/random/boot_id") + "-" + status.Inode.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Boot id and PID namespace.</summary>
    public static string Id
    {
        get
        {
            Kernel.Stat("/proc/self/ns/pid", out FileStatus status);
            return ProcFile.ReadText("/proc/sys/kernel/random/boot_id") + "-" + status.Inode.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
