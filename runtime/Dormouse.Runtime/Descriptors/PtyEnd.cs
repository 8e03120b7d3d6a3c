using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>The master or a slave of a pseudo-terminal that belongs to the computation.</summary>
internal sealed class PtyEnd : OpenFile
{
    private const ulong MasterBit = 1ul << 41;
    private const int FirstSlaveMajor = 136, LastSlaveMajor = 143, MasterMajor = 5, MasterMinor = 2;
    private readonly int _number;

    private PtyEnd(DescriptorInfo info, bool isMaster, int number)
        : base(info)
    {
        IsMasterEnd = isMaster;
        _number = number;
        Key = ObjectKeys.OfInode("pty", 0, (ulong)number);
    }

    public override string Kind => IsMasterEnd ? "pty-master" : "pty";

    public override string Description => $"{Info.Link}, pseudo-terminal {_number.ToString(CultureInfo.InvariantCulture)}";

    public override ResourceKey Key { get; }

    public override ulong Auxiliary => base.Auxiliary | (IsMasterEnd ? MasterBit : 0);

    public bool IsMasterEnd { get; }

    public int Number => _number;

    public Pty? Pty { get; set; }

    public override string? Loss => Pty!.LosesInput && IsMasterEnd
        ? $"fd {Info.Fd} ({Description}): input that was typed and not read yet is lost at a restart"
        : null;

    public static bool IsMaster(Holder holder) => (holder.Item.Auxiliary & MasterBit) != 0;

    /// <summary>The end that a character device is, or null. Numbers: Documentation/admin-guide/devices.txt.</summary>
    public static unsafe PtyEnd? Detect(DescriptorInfo info)
    {
        const uint GetNumber = 0x80045430;
        int major = (int)(info.Status.SpecialDevice >> 8) & 0xFFF;
        int minor = (int)((info.Status.SpecialDevice & 0xFF) | ((info.Status.SpecialDevice >> 12) & 0xFFF00));
        if (major == MasterMajor && minor == MasterMinor)
        {
            int number = 0;
            return Kernel.Ioctl(info.Fd, GetNumber, &number) < 0 ? null : new PtyEnd(info, true, number);
        }

        return major is >= FirstSlaveMajor and <= LastSlaveMajor ? new PtyEnd(info, false, ((major - FirstSlaveMajor) << 20) + minor) : null;
    }

    public override void Resolve(uint self, ReadOnlySpan<Candidate> candidates)
    {
        Pty!.Resolve(self, candidates);
        Creator = Pty.Creator;
        Id = Pty.IdOf(IsMasterEnd, Info.Flags);
        Sharers.Clear();
        foreach (Holder other in Pty.Others)
        {
            if (IsMaster(other) == IsMasterEnd && other.Flags == Info.Flags && !Sharers.Contains(other.Member))
            {
                Sharers.Add(other.Member);
            }
        }
    }

    public override void Capture() => Pty!.Capture(Worker.Current.Member);

    public override int Reopen() => Pty!.Open(IsMasterEnd, Info.Flags);

    public override void MakeForOthers(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
        => Pty!.SendMissingEnds(self, exchange, made);

    public override void Fill(uint self, DescriptorExchange exchange) => Pty!.Fill();

    public override void Seal(uint self) => ControllingTerminal.Restore(this);
}
