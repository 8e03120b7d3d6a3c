using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>One end of a pipe(7) or fifo(7).</summary>
internal sealed class PipeEnd(DescriptorInfo info) : OpenFile(info)
{
    public override string Kind => "pipe";

    public override ResourceKey Key => ObjectKeys.OfInode("pipe", Info.Status.Device, Info.Status.Inode);

    /// <summary>The pipe that this is an end of.</summary>
    public Pipe? Pipe { get; set; }

    // Nobody at all has the other end, which the program sees already: end of file, or EPIPE. Of a fifo that no writer has opened yet it sees nothing.
    private bool _isOtherEndClosed;

    public override string? Loss
        => Pipe!.IsOneSided && Creator == Pipe.Creator && !_isOtherEndClosed
            ? $"fd {Info.Fd} ({Info.Link}): the other end of this pipe is not held by any process of the computation; after a restart it is closed"
            : null;

    public override void Resolve(uint self, CandidateTable candidates)
    {
        Pipe!.Resolve(self, candidates);
        Creator = Pipe.Creator;
        Id = Pipe.IdOf(Info.Flags);
        Sharers.Clear();
        foreach (Candidate other in Pipe.Others)
        {
            if (OpenFile.FlagsOf(other) == Info.Flags && !Sharers.Contains(other.Member))
            {
                Sharers.Add(other.Member);
            }
        }
    }

    public override void Capture()
    {
        Pipe!.Capture();
        _isOtherEndClosed = (Kernel.PollNow(Info.Fd) & (Constant.POLLHUP | Constant.POLLERR)) != 0
            || (Pipe.IsWithoutWriter && Info.AccessMode == Constant.O_RDONLY);
    }

    public override int Reopen() => Pipe!.Open(Info.Flags);

    public override void MakeForOthers(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
        => Pipe!.SendMissingEnds(self, exchange, made);
}
