using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>The master or a slave of a pseudo-terminal; also what was opened as /dev/tty and is one.</summary>
internal sealed class PtyEnd : OpenFile
{
    private const ulong MasterBit = 1ul << 41;
    private const int FirstSlaveMajor = 136, LastSlaveMajor = 143, TtyMajor = 5, TtyMinor = 0, MasterMinor = 2;
    private readonly bool _isOfLaunch;

    private PtyEnd(DescriptorInfo info, bool isMaster, int number, ulong device, string launchStdio)
        : base(info)
    {
        IsMasterEnd = isMaster;
        Number = number;
        Device = device;
        IsHungUp = !isMaster && HasNoMaster(info.Fd);
        // The number of a terminal that has hung up can have been given to another.
        Key = ObjectKeys.OfInode(IsHungUp ? "hung-up pty" : "pty", 0, (ulong)number);
        _isOfLaunch = IsLaunchTerminal(info, number, launchStdio);
    }

    public override string Kind => IsMasterEnd ? "pty-master" : "pty";

    public override string Description => $"{Info.Link}, pseudo-terminal {Number.ToString(CultureInfo.InvariantCulture)}";

    public override ResourceKey Key { get; }

    public override ulong Auxiliary => base.Auxiliary | (IsMasterEnd ? MasterBit : 0);

    public bool IsMasterEnd { get; }

    /// <summary>N of /dev/pts/N.</summary>
    public int Number { get; }

    /// <summary>Device number of the slave, as in proc_pid_stat(5).</summary>
    public ulong Device { get; }

    /// <summary>The master is closed: reading gives end of file, and writing an error.</summary>
    public bool IsHungUp { get; }

    public Pty? Pty { get; set; }

    public override string? Loss => Pty switch
    {
        { IsOutside: true } when !IsHungUp && !_isOfLaunch && Creator == Worker.Current.Member =>
            $"fd {Info.Fd} ({Description}): this terminal belongs to a program outside the computation; after a restart it is that of dmrestart",
        { LosesInput: true } when IsMasterEnd =>
            $"fd {Info.Fd} ({Description}): input that was typed and not read yet is lost at a restart",
        _ => null,
    };

    public static bool IsMaster(Candidate holder) => (holder.Item.Auxiliary & MasterBit) != 0;

    /// <summary>The end that a character device is, or null. Numbers: Documentation/admin-guide/devices.txt.</summary>
    public static PtyEnd? Detect(DescriptorInfo info, string launchStdio)
    {
        (int major, int minor) = Split(info.Status.SpecialDevice);
        if (major == TtyMajor && minor == MasterMinor)
        {
            int number = PtyNumber.Of(info.Fd);
            return number < 0 ? null : new PtyEnd(info, true, number, 0, launchStdio);
        }

        ulong device = major == TtyMajor && minor == TtyMinor ? DeviceOf(info.Fd) : (uint)info.Status.SpecialDevice;
        (major, minor) = Split(device);
        return major is >= FirstSlaveMajor and <= LastSlaveMajor
            ? new PtyEnd(info, false, ((major - FirstSlaveMajor) << 20) + minor, device, launchStdio)
            : null;
    }

    public override void Resolve(uint self, CandidateTable candidates)
    {
        Pty!.Resolve(self, candidates);
        Creator = Pty.Creator;
        Id = Pty.IdOf(IsMasterEnd, Info.Flags);
        Sharers.Clear();
        foreach (Candidate other in Pty.Others)
        {
            if (IsMaster(other) == IsMasterEnd && OpenFile.FlagsOf(other) == Info.Flags && !Sharers.Contains(other.Member))
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

    private static (int Major, int Minor) Split(ulong device)
        => ((int)(device >> 8) & 0xFFF, (int)((device & 0xFF) | ((device >> 12) & 0xFFF00)));

    // TIOCGDEV: which terminal /dev/tty was when it was opened.
    private static unsafe ulong DeviceOf(int fd)
    {
        const uint GetDevice = 0x80045432;
        uint device = 0;
        Kernel.Ioctl(fd, GetDevice, &device);
        return device;
    }

    private static unsafe bool HasNoMaster(int fd)
    {
        const uint GetSettings = 0x802C542A;
        byte* settings = stackalloc byte[64];
        return Kernel.Ioctl(fd, GetSettings, settings) == -Errno.InputOutput;
    }

    private static bool IsLaunchTerminal(DescriptorInfo info, int number, string launchStdio)
        => Kernel.Stat(PtyNumber.Path(number), out FileStatus node) == 0 && OutsideStream.StreamOf(info with { Status = node }, launchStdio) >= 0;
}
