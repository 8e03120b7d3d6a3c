// World: restored process.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>In place of a terminal that the computation had but did not make: the one that dmrestart is used from.</summary>
internal static unsafe class OutsideTerminal
{
    private const uint GetSettings = 0x802C542A;

    /// <summary>/dev/tty where there is one, else a standard stream that is a terminal, else /dev/null.</summary>
    public static int Open(int flags)
    {
        flags &= Constant.O_ACCMODE | Constant.O_NONBLOCK | Constant.O_APPEND;
        int own = Kernel.Open("/dev/tty", flags | Constant.O_NOCTTY | Constant.O_CLOEXEC);
        if (own >= 0)
        {
            return DescriptorNumbers.Raise(own);
        }

        byte* settings = stackalloc byte[64];
        for (int stream = 0; stream < 3; stream++)
        {
            int fd = RestartStdio.Descriptor(stream);
            if (fd >= 0 && Kernel.Ioctl(fd, GetSettings, settings) == 0)
            {
                return Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC);
            }
        }

        return Kernel.Open("/dev/null", flags | Constant.O_CLOEXEC);
    }
}
