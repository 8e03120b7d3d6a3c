// World: Guest and Frozen.
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// RLIMIT_NOFILE of the process, which counts for our thread, too: higher while we need numbers that the program may not have.
/// </summary>
/// <remarks>
/// A limit that is lowered leaves what is open above it (getrlimit(2)), and nobody can have such a number again: pidfd_getfd(2), dup3(2)
/// and SCM_RIGHTS all ask __get_unused_fd_flags or the limit itself (fs/file.c).
/// </remarks>
internal static unsafe class DescriptorLimit
{
    public const int Kind = 7; // RLIMIT_NOFILE

    /// <summary>What we need ourselves: the link, the image, a socket to other members, and files of /proc.</summary>
    private const int OwnDescriptors = 32;

    /// <summary>What is borrowed from unread messages, for one; a restart makes all descriptions above the program's numbers first.</summary>
    private const int FrozenDescriptors = 1024;

    private static Limit s_programs, s_ours;
    private static bool s_isRaised;

    /// <summary>As the program has it.</summary>
    public static Limit OfProgram => s_isRaised ? s_programs : Read();

    /// <summary>For a moment in which the program runs: it sees no difference unless its limit is nearly nothing.</summary>
    public static void MakeRoom() => Raise(OwnDescriptors);

    /// <summary>While the program stands still, and as far as the kernel allows it: twice the program's numbers, and more.</summary>
    public static void RaiseAbove(int highest) => Raise((2 * (ulong)(highest + 1)) + FrozenDescriptors);

    /// <summary>The program gets its own limit again, or one that it has been given meanwhile.</summary>
    public static void GiveBack()
    {
        if (!s_isRaised)
        {
            return;
        }

        s_isRaised = false;
        if (Change(s_programs, out Limit before) < 0)
        {
            // Restored by who may less: the hard limit is dmrestart's.
            Limit now = Read();
            Change(now with { Soft = Math.Min(s_programs.Soft, now.Hard) }, out _);
        }
        else if (before != s_ours)
        {
            Change(before, out _);
        }
    }

    /// <summary>In a restored process, which has the limit of dmrestart: <see cref="GiveBack"/> gives the program its own.</summary>
    public static void Inherit(Limit programs)
    {
        s_programs = programs;
        s_ours = Read();
        s_isRaised = true;
    }

    private static void Raise(ulong wanted)
    {
        Limit now = Read();
        if (now.Soft >= wanted)
        {
            return;
        }

        if (!s_isRaised)
        {
            s_programs = now;
        }

        // Above the hard limit only root may go, capabilities(7): CAP_SYS_RESOURCE.
        Limit higher = new(wanted, Math.Max(wanted, now.Hard));
        if (Change(higher, out _) < 0)
        {
            higher = now with { Soft = Math.Min(wanted, now.Hard) };
            Change(higher, out _);
        }

        s_ours = higher;
        s_isRaised = true;
    }

    private static Limit Read() => ResourceLimits.Read(Kind);

    private static long Change(Limit wanted, out Limit before)
    {
        Limit old;
        long error = Kernel.Call(SystemCall.PrLimit64, 0, Kind, (long)&wanted, (long)&old);
        before = old;
        return error;
    }
}
