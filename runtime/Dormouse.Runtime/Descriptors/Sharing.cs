// World: Frozen.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>Finds out which members hold the same description, and which of them makes it again.</summary>
internal static class Sharing
{
    /// <summary>The lowest member of all that hold it.</summary>
    public static uint LowestMember(uint self, List<Candidate> holders)
    {
        uint lowest = self;
        foreach (Candidate holder in holders)
        {
            lowest = Math.Min(lowest, holder.Member);
        }

        return lowest;
    }

    /// <summary>Descriptions that only kcmp(2) can tell apart: asks it about every member that has announced the same key.</summary>
    public static void ResolveByComparison(OpenFile file, uint self, CandidateTable candidates)
    {
        uint creator = self;
        uint creatorFd = (uint)file.Descriptors[0].Fd;
        foreach (Candidate candidate in candidates.WithKey(file.Key))
        {
            if (!IsSame(file, candidate))
            {
                continue;
            }

            file.Sharers.Add(candidate.Member);
            if (candidate.Member < creator)
            {
                creator = candidate.Member;
                creatorFd = candidate.Item.Local;
            }
        }

        file.Creator = creator;
        file.Id = new DescriptionId(0, ((ulong)creator << 32) | creatorFd, 0);
    }

    /// <summary>Whether <paramref name="fd"/> of our own table refers to the same description, too.</summary>
    public static bool IsSame(OpenFile file, int fd) => Compare(file, Kernel.Tid, fd) == 0;

    // Without the right to compare (a process that is not dumpable) equal flags and offset must do.
    private static bool IsSame(OpenFile file, Candidate candidate)
        => Compare(file, (int)candidate.Item.Thread, (int)candidate.Item.Local) is 0 or < 0;

    // Of the thread that looks: it has the descriptors that messages carry, too.
    private static long Compare(OpenFile file, int thread, int fd)
        => Kernel.Call(SystemCall.Kcmp, Kernel.Tid, thread, Constant.KCMP_FILE, file.Descriptors[0].Fd, fd);
}
