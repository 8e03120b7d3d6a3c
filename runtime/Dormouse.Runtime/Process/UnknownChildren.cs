// World: Frozen.
using Dormouse.Protocol.Image;
using Dormouse.Protocol.Programs;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Process;

/// <summary>Children that the coordinator does not know: most join in a moment, or end. Others never can, and are named.</summary>
internal sealed class UnknownChildren
{
    private const long NanosecondsPerMillisecond = 1_000_000;
    private readonly List<int> _carriers = [];
    private readonly long _since = Kernel.Clock(Constant.CLOCK_MONOTONIC);

    /// <exception cref="CheckpointException">One of them can never become a member, and does not end.</exception>
    public void Look(ReadOnlySpan<int> children)
    {
        long waited = (Kernel.Clock(Constant.CLOCK_MONOTONIC) - _since) / NanosecondsPerMillisecond;
        foreach (int pid in children)
        {
            if (Stranger.IsCarrier(pid, default(Files)))
            {
                _carriers.Add(pid);
            }
            else if (Stranger.Find(pid, default(Files)) is { } stranger && waited >= stranger.PatienceMilliseconds)
            {
                throw new CheckpointException("its child " + stranger.Describe(""));
            }
        }
    }

    /// <summary>Those that count.</summary>
    public int[] Without(int[] children)
        => _carriers.Count == 0 ? children : Array.FindAll(children, pid => !_carriers.Contains(pid));

    private readonly struct Files : IProcessFiles
    {
        public string ReadText(string path) => ProcFile.ReadText(path);

        public byte[]? ReadStart(string path)
        {
            int fd = Kernel.Open(path, Constant.O_RDONLY | Constant.O_CLOEXEC);
            if (fd < 0)
            {
                return null;
            }

            byte[] start = new byte[ElfProgram.StartBytes];
            long bytes = Kernel.ReadAt(fd, start, 0);
            Kernel.Close(fd);
            return bytes < 0 ? [] : start.AsSpan(0, (int)bytes).ToArray();
        }
    }
}
