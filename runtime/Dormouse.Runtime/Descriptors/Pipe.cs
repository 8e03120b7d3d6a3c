// World: Frozen (capture), restored process (open).
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>A pipe or fifo: one kernel object with any number of ends in any number of processes.</summary>
internal sealed unsafe class Pipe(ResourceKey key)
{
    private const int MaximumTee = 1 << 30;
    private readonly List<PipeEnd> _ends = [];
    private readonly List<Candidate> _others = [];
    private readonly List<byte[]> _contents = [];
    private bool _isCaptured;
    private bool _hasSent;
    private int _capacityBytes;
    private bool _isPacket;
    private int _readEnd = -1;
    private int _writeEnd = -1;

    public ResourceKey Key => key;

    public uint Creator { get; private set; }

    /// <summary>Whether somebody outside the computation must hold the other end.</summary>
    public bool IsOneSided { get; private set; }

    /// <summary>Nobody at all has a write end, and nothing is in it: a fifo that waits to be written to. Known when it is captured.</summary>
    public bool IsWithoutWriter { get; private set; }

    public void Add(PipeEnd end)
    {
        end.Pipe = this;
        _ends.Add(end);
    }

    public void Resolve(uint self, CandidateTable candidates)
    {
        _others.Clear();
        _others.AddRange(candidates.WithKey(key));
        Creator = Sharing.LowestMember(self, _others);
        bool hasReader = false, hasWriter = false;
        foreach (PipeEnd end in _ends)
        {
            hasReader |= end.Info.AccessMode != Constant.O_WRONLY;
            hasWriter |= end.Info.AccessMode != Constant.O_RDONLY;
        }

        foreach (Candidate other in _others)
        {
            hasReader |= (OpenFile.FlagsOf(other) & Constant.O_ACCMODE) != Constant.O_WRONLY;
            hasWriter |= (OpenFile.FlagsOf(other) & Constant.O_ACCMODE) != Constant.O_RDONLY;
        }

        IsOneSided = !hasReader || !hasWriter;
    }

    /// <summary>Copies the bytes inside without taking them out: tee(2) into a pipe of the same size.</summary>
    public void Capture()
    {
        if (_isCaptured)
        {
            return;
        }

        _isCaptured = true;
        int any = _ends[0].Info.Fd;
        _capacityBytes = Kernel.Fcntl(any, Constant.F_GETPIPE_SZ);
        _isPacket = IsPacket();
        // A read end of our own: whoever holds the others, the kernel lets the owner of the pipe open it again.
        int reader = Kernel.Open(ProcFile.DescriptorPath(any), Constant.O_RDONLY | Constant.O_NONBLOCK | Constant.O_CLOEXEC);
        if (reader < 0)
        {
            // A pipe of another user: one of our own read ends will do, and a write end has nothing to show.
            reader = OwnReadEnd();
            if (reader < 0)
            {
                return;
            }
        }

        int* copy = stackalloc int[2];
        Kernel.Call(SystemCall.Pipe2, (long)copy, Constant.O_CLOEXEC | Constant.O_NONBLOCK | (_isPacket ? Constant.O_DIRECT : 0));
        Kernel.Fcntl(copy[1], Constant.F_SETPIPE_SZ, _capacityBytes);
        long copied = Kernel.Call(SystemCall.Tee, reader, copy[1], MaximumTee, 2 /* SPLICE_F_NONBLOCK */);
        // While there is a writer, an empty one gives EAGAIN: ipipe_prep in fs/splice.c.
        IsWithoutWriter = copied == 0;
        if (copied > 0)
        {
            ReadCopy(copy[0]);
        }

        Kernel.Close(copy[0]);
        Kernel.Close(copy[1]);
        Kernel.Close(reader);
    }

    /// <summary>An end with these flags; makes the pipe and fills it when that has not been done.</summary>
    public int Open(int flags)
    {
        if (_readEnd < 0)
        {
            Make();
        }

        int status = flags & (Constant.O_NONBLOCK | Constant.O_DIRECT | Constant.O_APPEND);
        int from = (flags & Constant.O_ACCMODE) == Constant.O_RDONLY ? _readEnd : _writeEnd;
        int fd = Kernel.Open(ProcFile.DescriptorPath(from), (flags & Constant.O_ACCMODE) | Constant.O_NONBLOCK | Constant.O_CLOEXEC);
        if (fd >= 0)
        {
            fd = DescriptorNumbers.Raise(fd);
            Kernel.Fcntl(fd, Constant.F_SETFL, status);
        }

        return fd;
    }

    /// <summary>Ends that only other processes have, and that the creator makes for them.</summary>
    public void SendMissingEnds(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
    {
        if (_hasSent || Creator != self)
        {
            return;
        }

        _hasSent = true;
        foreach (Candidate other in _others)
        {
            DescriptionId id = IdOf(OpenFile.FlagsOf(other));
            if (!made.TryGetValue(id, out int fd))
            {
                fd = Open(OpenFile.FlagsOf(other));
                made.Add(id, fd);
            }

            if (!IsSharedByOwnEnd(id))
            {
                exchange.Send(other.Member, id, fd);
            }
        }
    }

    public DescriptionId IdOf(int flags) => new(key.High, key.Low, 1ul << 32 | (uint)flags);

    public IEnumerable<Candidate> Others => _others;

    public void Close()
    {
        if (_readEnd >= 0)
        {
            Kernel.Close(_readEnd);
            Kernel.Close(_writeEnd);
            _readEnd = _writeEnd = -1;
        }
    }

    // Make() of DescriptorTable has sent these already.
    private bool IsSharedByOwnEnd(DescriptionId id)
    {
        foreach (PipeEnd end in _ends)
        {
            if (end.Id == id)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsPacket()
    {
        foreach (PipeEnd end in _ends)
        {
            if ((end.Info.Flags & Constant.O_DIRECT) != 0)
            {
                return true;
            }
        }

        foreach (Candidate other in _others)
        {
            if ((OpenFile.FlagsOf(other) & Constant.O_DIRECT) != 0)
            {
                return true;
            }
        }

        return false;
    }

    private int OwnReadEnd()
    {
        foreach (PipeEnd end in _ends)
        {
            if (end.Info.AccessMode != Constant.O_WRONLY)
            {
                return Kernel.Fcntl(end.Info.Fd, Constant.F_DUPFD_CLOEXEC);
            }
        }

        return -1;
    }

    // One read gives one packet of a packet pipe, and as much as fits of another.
    private void ReadCopy(int fd)
    {
        byte[] buffer = new byte[1 << 20];
        long got;
        while ((got = Kernel.Read(fd, buffer)) > 0)
        {
            _contents.Add(buffer.AsSpan(0, (int)got).ToArray());
        }
    }

    private void Make()
    {
        DescriptorInfo info = _ends[0].Info;
        if (info.Path.StartsWith('/'))
        {
            MakeFifo(info);
        }
        else
        {
            int* ends = stackalloc int[2];
            Kernel.Call(SystemCall.Pipe2, (long)ends, Constant.O_CLOEXEC | Constant.O_NONBLOCK | (_isPacket ? Constant.O_DIRECT : 0));
            (_readEnd, _writeEnd) = (ends[0], ends[1]);
        }

        (_readEnd, _writeEnd) = (DescriptorNumbers.Raise(_readEnd), DescriptorNumbers.Raise(_writeEnd));
        Kernel.Fcntl(_writeEnd, Constant.F_SETPIPE_SZ, _capacityBytes);
        foreach (byte[] piece in _contents)
        {
            if (Kernel.Write(_writeEnd, piece) != piece.Length)
            {
                throw new CheckpointException($"the pipe at fd {info.Fd} takes fewer bytes than it held: the limit fs.pipe-user-pages-soft is lower here. Raise it and run dmrestart again.");
            }
        }
    }

    // Opened for reading and writing a fifo never blocks: fifo(7).
    private void MakeFifo(DescriptorInfo info)
    {
        const int MakeNode = 133, Mode = 0x1180;
        Directories.MakeParents(info.Path);
        fixed (byte* path = Kernel.Terminated(info.Path))
        {
            Kernel.Call(MakeNode, (long)path, Mode | (info.Status.Mode & 0xFFF), 0);
        }

        _writeEnd = Kernel.Open(info.Path, Constant.O_RDWR | Constant.O_NONBLOCK | Constant.O_CLOEXEC);
        if (_writeEnd < 0)
        {
            throw new CheckpointException($"cannot open the fifo {info.Path} (fd {info.Fd}) again: {Errno.Text(_writeEnd)}. Create it with mkfifo and run dmrestart again.");
        }

        if (info.IsDeleted)
        {
            Kernel.Unlink(info.Path);
        }

        _readEnd = Kernel.Fcntl(_writeEnd, Constant.F_DUPFD_CLOEXEC);
    }
}
