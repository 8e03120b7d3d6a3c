using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;

namespace Dormouse.Runtime.Descriptors;

/// <summary>dmrestart's own standard streams, as the restorer has handed them over.</summary>
internal static unsafe class RestartStdio
{
    private const uint Quiet = 8, NameHost = 16; // DM_RESTART_QUIET, DM_RESTART_NAME_HOST
    private static readonly int[] s_descriptors = [-1, -1, -1];
    private static bool s_isQuiet;
    private static string s_place = "";

    public static void Take(RestartInfo* info)
    {
        for (int i = 0; i < s_descriptors.Length; i++)
        {
            s_descriptors[i] = info->Stdio[i];
        }

        s_isQuiet = (info->Flags & Quiet) != 0;
        s_place = (info->Flags & NameHost) != 0 ? $"On {HostIdentity.Name}: " : "";
        LaunchStdio.Text = Identity(0) + "," + Identity(1) + "," + Identity(2);
    }

    public static int Descriptor(int stream) => s_descriptors[stream];

    // From now on these are the launch's streams: the next checkpoint must know them.
    private static string Identity(int stream)
        => s_descriptors[stream] >= 0 && Kernel.FStat(s_descriptors[stream], out FileStatus status) == 0
            ? status.Device.ToString(System.Globalization.CultureInfo.InvariantCulture) + ":" + status.Inode.ToString(System.Globalization.CultureInfo.InvariantCulture)
            : "-";

    /// <summary>Whether a file is one of them.</summary>
    public static bool Is(in FileStatus file)
    {
        foreach (int fd in s_descriptors)
        {
            if (fd >= 0 && Kernel.FStat(fd, out FileStatus status) == 0 && status.Device == file.Device && status.Inode == file.Inode)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>One line for the user of dmrestart, unless he has said --quiet. From another host it comes to him through ssh, and says from which.</summary>
    public static void Warn(string sentence)
    {
        if (s_descriptors[2] >= 0 && !s_isQuiet)
        {
            // A file may have been rolled back under it: what the program had written comes first. ESPIPE otherwise.
            Kernel.Seek(s_descriptors[2], 0, Constant.SEEK_END);
            Kernel.Write(s_descriptors[2], KernelText.ToBytes("dmrestart: " + s_place + sentence + ".\n"));
        }
    }

    /// <summary>The same about something that this process alone has.</summary>
    public static void WarnOfProcess(string sentence)
        => Warn($"pid {Kernel.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture)} ({ProcFile.ReadText("/proc/self/comm")}): {sentence}");

    /// <summary>Moves them out of the way of the program's numbers.</summary>
    public static void MoveAbove(int floor)
    {
        for (int i = 0; i < s_descriptors.Length; i++)
        {
            s_descriptors[i] = DescriptorNumbers.MoveAbove(s_descriptors[i], floor);
        }
    }

    public static void Close()
    {
        for (int i = 0; i < s_descriptors.Length; i++)
        {
            if (s_descriptors[i] >= 0)
            {
                Kernel.Close(s_descriptors[i]);
                s_descriptors[i] = -1;
            }
        }
    }
}
