// World: Frozen (capture), restored process (open).
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>A pseudo-terminal inside the computation: pty(7). One master, and any number of slaves in any number of processes.</summary>
internal sealed unsafe class Pty(ResourceKey key, int number)
{
    private const uint LockPty = 0x40045431, OpenPeer = 0x5441, GetTermios = 0x802C542A, SetTermios = 0x402C542B;
    private const uint GetSize = 0x5413, SetSize = 0x5414, PacketMode = 0x5420, GetPacketMode = 0x80045438, WaitingInput = 0x541B;
    private const int TermiosBytes = 44, OutputFlagsOffset = 4;
    private readonly List<PtyEnd> _ends = [];
    private readonly List<Holder> _others = [];
    private readonly byte[] _termios = new byte[TermiosBytes];
    private readonly byte[] _size = new byte[8];
    private readonly List<byte[]> _unreadOutput = [];
    private bool _isPacketMode;
    private bool _isCaptured;
    private bool _hasSent;
    private int _master = -1;
    private int _slave = -1;

    public ResourceKey Key => key;

    public uint Creator { get; private set; }

    public IEnumerable<Holder> Others => _others;

    /// <summary>Typed input that the slave has not read cannot be put back yet.</summary>
    public bool LosesInput { get; private set; }

    public void Add(PtyEnd end)
    {
        end.Pty = this;
        _ends.Add(end);
    }

    public void Resolve(uint self, ReadOnlySpan<Candidate> candidates)
    {
        _others.Clear();
        _others.AddRange(Sharing.HoldersOf(key, candidates));
        // Only who holds the master can look at what the slave has written.
        uint creator = HasMasterHere ? self : uint.MaxValue;
        foreach (Holder other in _others)
        {
            if (PtyEnd.IsMaster(other))
            {
                creator = Math.Min(creator, other.Member);
            }
        }

        Creator = creator;
    }

    private bool HasMasterHere => FindEnd(true) is not null;

    /// <summary>Reads what the slave has written and nobody has read, and puts it back for the program that goes on.</summary>
    public void Capture(uint self)
    {
        if (_isCaptured || Creator != self)
        {
            if (Creator == uint.MaxValue)
            {
                throw new CheckpointException($"/dev/pts/{number.ToString(CultureInfo.InvariantCulture)} is the terminal of a program outside the computation and not of dmlaunch. Start the program from the terminal that it uses.");
            }

            return;
        }

        _isCaptured = true;
        int master = FindEnd(true)!.Info.Fd;
        int slave = OpenSlave(master);
        fixed (byte* termios = _termios, size = _size)
        {
            Kernel.Ioctl(master, GetTermios, termios);
            Kernel.Ioctl(master, GetSize, size);
        }

        int packet = 0, input = 0;
        Kernel.Ioctl(master, GetPacketMode, &packet);
        _isPacketMode = packet != 0;
        Kernel.Ioctl(slave, WaitingInput, &input);
        LosesInput = input > 0;
        int reader = Kernel.Fcntl(master, Constant.F_GETFL);
        Kernel.Fcntl(master, Constant.F_SETFL, reader | Constant.O_NONBLOCK);
        ReadOutput(master);
        Kernel.Fcntl(master, Constant.F_SETFL, reader);
        WriteOutput(slave);
        Kernel.Close(slave);
    }

    /// <summary>A descriptor of the master or of the slave; makes the pair when that has not been done.</summary>
    public int Open(bool isMaster, int flags)
    {
        if (_master < 0)
        {
            Make();
        }

        if (isMaster)
        {
            int fd = DescriptorNumbers.Raise(Kernel.Fcntl(_master, Constant.F_DUPFD_CLOEXEC));
            Kernel.Fcntl(fd, Constant.F_SETFL, flags & (Constant.O_NONBLOCK | Constant.O_APPEND));
            return fd;
        }

        int slave = DescriptorNumbers.Raise(OpenSlave(_master));
        Kernel.Fcntl(slave, Constant.F_SETFL, flags & (Constant.O_NONBLOCK | Constant.O_APPEND));
        return slave;
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
        foreach (Holder other in _others)
        {
            DescriptionId id = IdOf(PtyEnd.IsMaster(other), other.Flags);
            if (IsSharedByOwnEnd(id))
            {
                continue;
            }

            if (!made.TryGetValue(id, out int fd))
            {
                fd = Open(PtyEnd.IsMaster(other), other.Flags);
                made.Add(id, fd);
            }

            exchange.Send(other.Member, id, fd);
        }
    }

    /// <summary>When all have their descriptors: what the slave had written.</summary>
    public void Fill()
    {
        if (_slave < 0)
        {
            return;
        }

        WriteOutput(_slave);
        int packet = _isPacketMode ? 1 : 0;
        Kernel.Ioctl(_master, PacketMode, &packet);
        Kernel.Close(_slave);
        Kernel.Close(_master);
        _slave = _master = -1;
    }

    private void Make()
    {
        int master = Kernel.Open("/dev/ptmx", Constant.O_RDWR | Constant.O_NOCTTY | Constant.O_CLOEXEC);
        int unlocked = 0;
        if (master < 0 || Kernel.Ioctl(master, LockPty, &unlocked) < 0)
        {
            throw new CheckpointException($"cannot make a pseudo-terminal: {Errno.Text(master)}. Check /dev/ptmx and the limit kernel.pty.max, and run dmrestart again.");
        }

        _master = DescriptorNumbers.Raise(master);
        _slave = DescriptorNumbers.Raise(OpenSlave(_master));
        fixed (byte* termios = _termios, size = _size)
        {
            Kernel.Ioctl(_slave, SetTermios, termios);
            Kernel.Ioctl(_slave, SetSize, size);
        }
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

    // TIOCGPTPEER (Linux 4.13) needs no path, which another mount namespace may not have.
    private static int OpenSlave(int master)
        => (int)Kernel.Call(SystemCall.Ioctl, master, OpenPeer, Constant.O_RDWR | Constant.O_NOCTTY | Constant.O_CLOEXEC);

    // In packet mode each read begins with a byte that says what follows: 0 is data (ioctl_tty(2), TIOCPKT).
    private void ReadOutput(int master)
    {
        byte[] buffer = new byte[65536];
        long got;
        while ((got = Kernel.Read(master, buffer)) > 0)
        {
            int skip = _isPacketMode ? 1 : 0;
            if (got > skip && (skip == 0 || buffer[0] == 0))
            {
                _unreadOutput.Add(buffer.AsSpan(skip, (int)got - skip).ToArray());
            }
        }
    }

    // The bytes have been through output processing once already.
    private void WriteOutput(int slave)
    {
        if (_unreadOutput.Count == 0)
        {
            return;
        }

        byte[] raw = _termios.AsSpan().ToArray();
        raw.AsSpan(OutputFlagsOffset, 4).Clear();
        fixed (byte* unprocessed = raw, termios = _termios)
        {
            Kernel.Ioctl(slave, SetTermios, unprocessed);
            int flags = Kernel.Fcntl(slave, Constant.F_GETFL);
            Kernel.Fcntl(slave, Constant.F_SETFL, flags | Constant.O_NONBLOCK);
            foreach (byte[] piece in _unreadOutput)
            {
                Kernel.Write(slave, piece);
            }

            Kernel.Ioctl(slave, SetTermios, termios);
        }
    }
}
