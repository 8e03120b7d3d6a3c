// World: Frozen (capture), restored process (open).
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>A pseudo-terminal: pty(7). One master, and any number of slaves in any number of processes.</summary>
/// <param name="key">The same in all members.</param>
/// <param name="number">N of /dev/pts/N.</param>
internal sealed class Pty(ResourceKey key, int number)
{
    private readonly List<PtyEnd> _ends = [];
    private readonly List<Candidate> _others = [];
    private readonly PtyState _state = new();
    private readonly PtyContents _contents = new();
    private bool _isCaptured;
    private bool _hasBeenOpened;
    private bool _hasSent;
    private int _master = -1;
    private int _slave = -1;

    public ResourceKey Key => key;

    public uint Creator { get; private set; }

    public IEnumerable<Candidate> Others => _others;

    /// <summary>Nobody in the computation holds the master: the terminal is somebody else's, or its master is closed.</summary>
    public bool IsOutside { get; private set; }

    /// <summary>Typed input that cannot be put back.</summary>
    public bool LosesInput => _contents.LosesInput;

    public void Add(PtyEnd end)
    {
        end.Pty = this;
        _ends.Add(end);
    }

    public void Resolve(uint self, CandidateTable candidates)
    {
        _others.Clear();
        _others.AddRange(candidates.WithKey(key));
        // Only who holds the master can look at what the slave has written.
        uint creator = FindEnd(true) is null ? uint.MaxValue : self;
        foreach (Candidate other in _others)
        {
            if (PtyEnd.IsMaster(other))
            {
                creator = Math.Min(creator, other.Member);
            }
        }

        IsOutside = creator == uint.MaxValue;
        Creator = IsOutside ? Sharing.LowestMember(self, _others) : creator;
    }

    /// <summary>Notes the settings and what is on its way, which it puts back for the program that goes on.</summary>
    public void Capture(uint self)
    {
        if (_isCaptured || Creator != self || IsOutside)
        {
            return;
        }

        _isCaptured = true;
        int master = FindEnd(true)!.Info.Fd;
        _state.Capture(master);
        // To open a slave for the first time changes what the master sees when it is closed again: end of file.
        _hasBeenOpened = HasSlave() || (PtyContents.Poll(master, Constant.POLLIN) & Constant.POLLHUP) != 0;
        if (_hasBeenOpened)
        {
            CaptureContents(master);
        }
    }

    /// <summary>A descriptor of the master or of the slave; makes the pair when that has not been done.</summary>
    public int Open(bool isMaster, int flags)
    {
        if (IsOutside && !_ends[0].IsHungUp)
        {
            return OutsideTerminal.Open(flags);
        }

        if (_master < 0)
        {
            Make();
        }

        int fd = isMaster ? Kernel.Fcntl(_master, Constant.F_DUPFD_CLOEXEC) : PtyNumber.OpenSlave(_master, flags & Constant.O_ACCMODE);
        fd = DescriptorNumbers.Raise(fd);
        Kernel.Fcntl(fd, Constant.F_SETFL, flags & (Constant.O_NONBLOCK | Constant.O_APPEND));
        return fd;
    }

    public DescriptionId IdOf(bool isMaster, int flags) => new(key.High, key.Low, (isMaster ? 6ul : 5ul) << 32 | (uint)flags);

    /// <summary>Ends that only other processes have.</summary>
    public void SendMissingEnds(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
    {
        if (_hasSent || Creator != self)
        {
            return;
        }

        _hasSent = true;
        foreach (Candidate other in _others)
        {
            DescriptionId id = IdOf(PtyEnd.IsMaster(other), OpenFile.FlagsOf(other));
            if (IsSharedByOwnEnd(id))
            {
                continue;
            }

            if (!made.TryGetValue(id, out int fd))
            {
                fd = Open(PtyEnd.IsMaster(other), OpenFile.FlagsOf(other));
                made.Add(id, fd);
            }

            exchange.Send(other.Member, id, fd);
        }
    }

    /// <summary>When all have their descriptors: what was on its way. Closes what was only for making it.</summary>
    public void Fill()
    {
        if (_master < 0)
        {
            return;
        }

        if (_slave >= 0)
        {
            _contents.Put(_master, _slave, _state.Termios);
        }

        PtyState.PacketMode(_master, _state.IsPacketMode);
        _state.Close(_master, _slave);
        if (_slave >= 0)
        {
            Kernel.Close(_slave);
        }

        // With the last master the terminal hangs up: that is how one comes back whose master was closed.
        Kernel.Close(_master);
        _slave = _master = -1;
    }

    private void CaptureContents(int master)
    {
        PtyState.Lock(master, false);
        int slave = PtyNumber.OpenSlave(master, Constant.O_RDWR | Constant.O_NONBLOCK);
        if (slave >= 0)
        {
            _state.CaptureSlave(slave);
            PtyState.PacketMode(master, false);
            _contents.Take(master, slave, _state.Termios);
            _contents.Put(master, slave, _state.Termios);
            PtyState.PacketMode(master, _state.IsPacketMode);
            Kernel.Close(slave);
        }

        PtyState.Lock(master, _state.IsLocked);
    }

    private void Make()
    {
        int master = PtyNumber.OpenMaster(number);
        if (master < 0)
        {
            throw new CheckpointException($"cannot make a pseudo-terminal: {Errno.Text(master)}. Check /dev/ptmx and the limit kernel.pty.max, and run dmrestart again.");
        }

        _master = DescriptorNumbers.Raise(master);
        PtyState.Lock(_master, false);
        if (IsOutside)
        {
            return;
        }

        if (PtyNumber.Of(_master) is var found && found != number)
        {
            RestartStdio.Warn($"{PtyNumber.Path(number)} is in use: the pseudo-terminal is {PtyNumber.Path(found)} now");
        }

        _state.Restore(_master);
        if (_hasBeenOpened)
        {
            _slave = DescriptorNumbers.Raise(PtyNumber.OpenSlave(_master, Constant.O_RDWR));
            _state.RestoreNode(_slave);
        }
    }

    private bool HasSlave()
    {
        foreach (Candidate other in _others)
        {
            if (!PtyEnd.IsMaster(other))
            {
                return true;
            }
        }

        return FindEnd(false) is not null;
    }

    private PtyEnd? FindEnd(bool isMaster)
    {
        foreach (PtyEnd end in _ends)
        {
            if (end.IsMasterEnd == isMaster)
            {
                return end;
            }
        }

        return null;
    }

    private bool IsSharedByOwnEnd(DescriptionId id)
    {
        foreach (PtyEnd end in _ends)
        {
            if (end.Id == id)
            {
                return true;
            }
        }

        return false;
    }
}
