// World: Frozen.
using System;
using System.Collections.Generic;
using System.Globalization;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>The children of this process, from /proc/self/task/TID/children (CONFIG_PROC_CHILDREN).</summary>
internal static unsafe class Children
{
    /// <summary>Children that have not ended.</summary>
    public static int[] Alive()
    {
        var alive = new List<int>();
        foreach (int pid in All())
        {
            if (State(pid) is not ("Z" or "X" or ""))
            {
                alive.Add(pid);
            }
        }

        return alive.ToArray();
    }

    /// <summary>Children that have ended and were not waited for; their status stays unconsumed.</summary>
    public static ZombieChild[] Zombies()
    {
        var zombies = new List<ZombieChild>();
        foreach (int pid in All())
        {
            if (State(pid) != "Z")
            {
                continue;
            }

            string[] stat = ProcFile.StatFields(StatPath(pid));
            zombies.Add(new ZombieChild(pid, WaitStatus(pid), int.Parse(stat[2], CultureInfo.InvariantCulture), int.Parse(stat[3], CultureInfo.InvariantCulture)));
        }

        return zombies.ToArray();
    }

    private static List<int> All()
    {
        var all = new List<int>();
        if (HasNone())
        {
            return all;
        }

        foreach (int tid in ProcFile.Numbers("/proc/self/task"))
        {
            string text = ProcFile.ReadText("/proc/self/task/" + tid.ToString(CultureInfo.InvariantCulture) + "/children");
            foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                all.Add(int.Parse(word, CultureInfo.InvariantCulture));
            }
        }

        return all;
    }

    // Saves reading a file for every thread: wait(2) knows at once when there is no child of any kind.
    private static bool HasNone()
    {
        const int All = 0, Any = 4 | 2 | 8 /* WEXITED | WSTOPPED | WCONTINUED */, NoWait = 0x01000000, NoHang = 1, OfEveryKind = 0x40000000 /* __WALL */;
        int* info = stackalloc int[32];
        return Kernel.Call(SystemCall.WaitId, All, 0, (long)info, Any | NoWait | NoHang | OfEveryKind, 0) == -Errno.NoChild;
    }

    private static string StatPath(int pid) => "/proc/" + pid.ToString(CultureInfo.InvariantCulture) + "/stat";

    private static string State(int pid)
    {
        string[] stat = ProcFile.StatFields(StatPath(pid));
        return stat.Length == 0 ? "" : stat[0];
    }

    private const int PatienceMilliseconds = 1000;

    // waitid(2) with WNOWAIT: siginfo_t has si_code at byte 8, si_pid at byte 16 and si_status at byte 24.
    private static int WaitStatus(int pid)
    {
        const int PPid = 1, Exited = 4, NoWait = 0x01000000, NoHang = 1, CodeExited = 1, CodeDumped = 3;
        const int PidWord = 4;
        int* info = stackalloc int[32];
        info[PidWord] = 0;
        // A process shows as a zombie when its first thread has ended; it can be waited for when all have, a moment later.
        for (int waited = 0; info[PidWord] != pid && waited < PatienceMilliseconds; waited++)
        {
            new Span<int>(info, 32).Clear();
            Kernel.Call(SystemCall.WaitId, PPid, pid, (long)info, Exited | NoWait | NoHang, 0);
            if (info[PidWord] != pid)
            {
                Kernel.Sleep(1);
            }
        }

        int code = info[2], status = info[6];
        return code == CodeExited ? status << 8 : status | (code == CodeDumped ? 0x80 : 0);
    }
}
