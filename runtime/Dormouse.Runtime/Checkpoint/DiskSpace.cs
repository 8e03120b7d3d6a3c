using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;

namespace Dormouse.Runtime.Checkpoint;

/// <summary>Asks for room before anything is stopped.</summary>
internal static unsafe class DiskSpace
{
    private const long Reserve = 1 << 20;

    /// <exception cref="CheckpointException">The resident memory does not fit on the file system.</exception>
    public static void Check(int fd, string directory)
    {
        long* statfs = stackalloc long[15]; // struct statfs: type, bsize, blocks, bfree, bavail …
        if (Kernel.Call(SystemCall.FStatFs, fd, (long)statfs) < 0)
        {
            return;
        }

        long free = statfs[1] * statfs[4];
        string resident = ProcessAttributes.StatusLine("RssAnon:").Replace("kB", "", StringComparison.Ordinal).Trim();
        long wanted = (long.Parse(resident, System.Globalization.CultureInfo.InvariantCulture) * 1024) + Reserve;
        if (free < wanted)
        {
            throw new CheckpointException($"{directory} has {free >> 20} MiB free but the image needs about {(wanted >> 20) + 1} MiB: no space. Make room or choose another directory with --ckptdir.");
        }
    }
}
