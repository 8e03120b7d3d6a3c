using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>A session leader whose controlling terminal is a pty of the computation gets it back, with its foreground group.</summary>
internal static unsafe class ControllingTerminal
{
    private const uint SetControlling = 0x540E, SetForeground = 0x5410;
    private static ulong s_device;
    private static int s_foreground;

    /// <summary>Notes it at the checkpoint: fields 7 and 8 of proc_pid_stat(5).</summary>
    public static void Capture()
    {
        string[] stat = ProcFile.StatFields("/proc/self/stat");
        int pid = Kernel.Pid;
        bool isLeader = int.Parse(stat[3], CultureInfo.InvariantCulture) == pid;
        s_device = isLeader ? (uint)int.Parse(stat[4], CultureInfo.InvariantCulture) : 0;
        s_foreground = int.Parse(stat[5], CultureInfo.InvariantCulture);
    }

    public static void Restore(PtyEnd end)
    {
        if (end.IsMasterEnd || s_device == 0 || s_device != end.Device)
        {
            return;
        }

        s_device = 0;
        Kernel.Call(SystemCall.Ioctl, end.Descriptors[0].Fd, SetControlling, 0);
        int group = s_foreground;
        Kernel.Ioctl(end.Descriptors[0].Fd, SetForeground, &group);
    }
}
