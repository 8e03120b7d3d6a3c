// World: Frozen (capture), restored process (restore).
using System;
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// The settings of the terminal that the program was started at (raw mode of an editor, no echo of a shell that edits its line). They come
/// back at dmrestart's terminal, when the program has the foreground of it.
/// </summary>
internal static unsafe class LaunchTerminal
{
    private const uint GetForeground = 0x540F; // TIOCGPGRP
    private const int WindowChanged = 28; // SIGWINCH
    private static Termios? s_settings;
    private static bool s_isNew;

    /// <summary>At the checkpoint, before all descriptors: forgets what an earlier one has noted.</summary>
    public static void Forget() => s_settings = null;

    /// <summary>Notes the settings when the descriptor is the controlling terminal and this process's group is in its foreground.</summary>
    public static void Capture(DescriptorInfo info)
    {
        // Fields 5, 7 and 8 of proc_pid_stat(5): group, terminal, its foreground group.
        string[] stat = ProcFile.StatFields("/proc/self/stat");
        bool isControlling = info.Status.SpecialDevice == (uint)int.Parse(stat[4], CultureInfo.InvariantCulture);
        if (s_settings is null && isControlling && stat[2] == stat[5])
        {
            s_settings = Termios.Of(info.Fd);
        }
    }

    /// <summary>Puts them back; before the program runs.</summary>
    /// <param name="fd">A descriptor of dmrestart's terminal.</param>
    public static void Restore(int fd)
    {
        int group;
        if (s_settings is null || Kernel.Ioctl(fd, GetForeground, &group) < 0 || group != (int)Kernel.Call(SystemCall.GetPgid, 0))
        {
            return;
        }

        s_settings.ApplyTo(fd);
        s_settings = null;
        s_isNew = true;
    }

    /// <summary>What was on the screen is gone, and its size may be another: the program is told as the kernel would tell it, and draws again.</summary>
    public static void Announce()
    {
        if (s_isNew)
        {
            Kernel.Call(SystemCall.Kill, Kernel.Pid, WindowChanged);
        }

        s_isNew = false;
    }
}
