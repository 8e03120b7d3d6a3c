// World: restored process.
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>Programs remember the name of their terminal: so a new one gets the old number where that is free.</summary>
/// <remarks>The kernel gives away the lowest free number: lower ones are taken until it is the right one's turn.</remarks>
internal static unsafe class PtyNumber
{
    private const uint GetNumber = 0x80045430, OpenPeer = 0x5441;
    private const int MostHeld = 64;

    // Another member may hold the number for a moment, to get its own.
    private const int Tries = 20, PauseMilliseconds = 5;

    /// <summary>A new master, locked and without settings, or -errno.</summary>
    public static int OpenMaster(int wanted)
    {
        for (int i = 0; i < Tries; i++)
        {
            int master = Climb(wanted);
            if (master >= 0)
            {
                return master;
            }

            Kernel.Sleep(PauseMilliseconds);
        }

        return OpenAny();
    }

    /// <summary>N of /dev/pts/N, or -1 when <paramref name="master"/> is not the master of a pseudo-terminal.</summary>
    public static int Of(int master)
    {
        int number;
        return Kernel.Ioctl(master, GetNumber, &number) < 0 ? -1 : number;
    }

    public static string Path(int number) => "/dev/pts/" + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The slave, without its path, which another mount namespace may not have: TIOCGPTPEER, Linux 4.13.</summary>
    public static int OpenSlave(int master, int access)
        => (int)Kernel.Call(SystemCall.Ioctl, master, OpenPeer, access | Constant.O_NOCTTY | Constant.O_CLOEXEC);

    private static int OpenAny() => Kernel.Open("/dev/ptmx", Constant.O_RDWR | Constant.O_NOCTTY | Constant.O_CLOEXEC);

    private static int Climb(int wanted)
    {
        var held = new List<int>();
        int master = -1;
        while (held.Count < MostHeld && (master = OpenAny()) >= 0 && Of(master) < wanted)
        {
            held.Add(master);
            master = -1;
        }

        foreach (int fd in held)
        {
            Kernel.Close(fd);
        }

        if (master >= 0 && Of(master) != wanted)
        {
            Kernel.Close(master);
            master = -1;
        }

        return master;
    }
}
