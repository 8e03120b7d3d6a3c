using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>Descriptors of our own while the program's get their numbers back.</summary>
internal static class DescriptorNumbers
{
    /// <summary>While the program's descriptors come back: numbers below are its own, also where they are free just now.</summary>
    public static int Reserved { get; set; }

    /// <summary>The same description under a number of at least <paramref name="floor"/>; the old number is closed.</summary>
    public static int MoveAbove(int fd, int floor)
    {
        if (fd < 0 || fd >= floor)
        {
            return fd;
        }

        int moved = Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC, floor);
        Kernel.Close(fd);
        return moved;
    }

    /// <summary>The same description under a number that is none of <paramref name="taken"/>, ascending; the old number is closed.</summary>
    public static int MoveOutOf(int fd, List<int> taken)
    {
        if (fd < 0 || !taken.Contains(fd))
        {
            return fd;
        }

        int moved = Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC, taken[^1] + 1);
        for (int hole = 0; moved < 0 && hole < taken[^1]; hole++)
        {
            if (!taken.Contains(hole))
            {
                moved = Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC, hole);
            }
        }

        Kernel.Close(fd);
        return moved;
    }

    /// <summary>The same description under a number near the top of what the process may use, out of the program's way.</summary>
    /// <remarks>Near the usual limit of 1024, not near a huge one: the kernel's table of descriptors grows to the highest number.</remarks>
    public static unsafe int Raise(int fd)
    {
        const int HighestNumber = 1000, NumberLimit = 7 /* RLIMIT_NOFILE */;
        ulong* limit = stackalloc ulong[2];
        Kernel.Call(SystemCall.PrLimit64, 0, NumberLimit, 0, (long)limit);
        int raised = Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC, Math.Max(Math.Max((int)Math.Min(limit[0], HighestNumber) - 8, 0), Reserved));
        if (raised < 0)
        {
            return fd;
        }

        Kernel.Close(fd);
        return raised;
    }
}
