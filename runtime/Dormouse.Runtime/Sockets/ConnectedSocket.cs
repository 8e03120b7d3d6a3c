// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// One end of a connection. Of all members that hold one of the two ends, the lowest makes both and sends them to the others;
/// the keeper of an end gets the other end, too, for as long as it takes to put unread data back. When the other end waits to be accepted,
/// the keeper of the listening socket makes the connection: <see cref="AcceptQueue"/>.
/// </summary>
internal abstract class ConnectedSocket(DescriptorInfo info) : SocketFile(info)
{
    private List<Candidate> _farHolders = [];
    private ConnectedSocket? _farEndHere;
    private SocketContents? _contents;
    private uint _farKeeper;
    private int _made = -1;
    private int _madeFar = -1;
    private int _feeder = -1;
    private bool _waitsHere;

    /// <summary>Whether anybody in the computation holds the other end.</summary>
    protected bool HasFarHolder => _farEndHere is not null || _farHolders.Count > 0 || IsQueued || Peer == Key;

    /// <summary>The other end waits in a member's listening socket.</summary>
    protected bool IsQueued { get; private set; }

    /// <summary>Whether all that was written here has been read there, as far as the kernel tells.</summary>
    protected virtual bool HasNothingOnTheWay => SocketCalls.Unsent(Info.Fd) == 0;

    /// <summary>What the members that hold the other end have announced.</summary>
    protected List<Candidate> FarHolders => _farHolders;

    /// <summary>All who hold the other end are on other hosts: <see cref="RemoteMeeting"/>.</summary>
    public virtual bool IsRemote => false;

    /// <summary>Both ends are made here, one for each side.</summary>
    protected virtual bool IsPair => !IsQueued && !IsRemote;

    protected SocketContents? Contents => _contents;

    protected ConnectedSocket? FarEndHere => _farEndHere;

    /// <summary>shutdown(2) directions that this end has used: 1 receiving, 2 sending.</summary>
    protected abstract int ShutdownState { get; }

    public override void Link(Dictionary<ResourceKey, OpenFile> own)
        => _farEndHere = !Peer.IsNone && Peer != Key && own.TryGetValue(Peer, out OpenFile? far) ? far as ConnectedSocket : null;

    /// <summary>The other end waits to be accepted from a listening socket of this process.</summary>
    public void WaitsHere() => _waitsHere = true;

    public override void Resolve(uint self, CandidateTable candidates)
    {
        base.Resolve(self, candidates);
        _farHolders = Peer.IsNone || Peer == Key ? [] : FarOf(candidates.WithKey(Peer));

        uint listener = Math.Min(AcceptQueue.KeeperOf(Key, candidates), _waitsHere ? self : uint.MaxValue);
        IsQueued = listener != uint.MaxValue;
        _farKeeper = Sharing.LowestMember(_farEndHere is not null ? self : uint.MaxValue, _farHolders);
        Creator = IsQueued ? listener : IsRemote ? Keeper : Math.Min(Keeper, _farKeeper);
    }

    /// <summary>Which of all that have announced the other end really hold it.</summary>
    protected virtual List<Candidate> FarOf(List<Candidate> holders) => holders;

    public override void Capture()
    {
        base.Capture();
        if (IsQueued && !HasNothingOnTheWay)
        {
            throw AcceptQueue.Unreadable(Description);
        }
    }

    /// <summary>Unread data is read when all members have lent what others need for that.</summary>
    public override void CaptureContents(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self)
        {
            _contents ??= ReadContents(exchange);
            _contents.CheckIsComplete(this);
        }
    }

    public override void AdoptCarried(Func<int, OpenFile> adopt) => _contents = PeekCarried(adopt);

    /// <summary>What has come and is not read yet; the running program must not notice.</summary>
    protected virtual SocketContents ReadContents(DescriptorExchange exchange) => SocketContents.Peek(Info.Fd, IsStream);

    public override int Reopen()
    {
        if (IsQueued)
        {
            return SocketCalls.Create(Domain, Type, Protocol);
        }

        if (_made < 0)
        {
            (_made, _madeFar) = MakePair();
            if (_made < 0)
            {
                return _made;
            }

            (_made, _madeFar) = (DescriptorNumbers.Raise(_made), DescriptorNumbers.Raise(_madeFar));
            if (_farEndHere is not null)
            {
                (_farEndHere._made, _farEndHere._madeFar) = (_madeFar, _made);
            }
        }

        // Each caller owns what it gets; the pair itself is kept until it is filled.
        return Kernel.Fcntl(_made, Constant.F_DUPFD_CLOEXEC);
    }

    public override void MakeForOthers(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
    {
        if (!IsPair)
        {
            return;
        }

        if (_farEndHere is null)
        {
            foreach (Candidate holder in _farHolders)
            {
                exchange.Send(holder.Member, IdOf(Peer), _madeFar);
            }

            if (_farHolders.Count > 0 && _farKeeper != self)
            {
                exchange.Send(_farKeeper, FeederOf(Peer), made[Id]);
            }
        }

        if (Keeper == self)
        {
            _feeder = DescriptorNumbers.Raise(Kernel.Fcntl(_madeFar, Constant.F_DUPFD_CLOEXEC));
        }
        else
        {
            exchange.Send(Keeper, FeederOf(Key), _madeFar);
        }
    }

    public override void ExpectFromCreator(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self && !IsQueued)
        {
            exchange.Expect(FeederOf(Key));
        }
    }

    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (!IsPair)
        {
            return;
        }

        if (Keeper == self)
        {
            int feeder = Creator == self ? _feeder : exchange.Take(FeederOf(Key));
            Options.RestoreBeforeUse(Descriptors[0].Fd);
            int error = _contents!.Feed(feeder, Descriptors[0].Fd);
            if (error < 0)
            {
                throw new CheckpointException($"{Name}: the unread data does not fit into the new socket: {Errno.Text(error)}. Raise net.core.rmem_max and net.core.wmem_max and run dmrestart again.");
            }
        }

        BeforeClosingFarEnd(_feeder);
        Close(ref _feeder);
        if (_made >= 0)
        {
            Close(ref _made);
            if (_farEndHere is null)
            {
                Close(ref _madeFar);
            }
        }
    }

    public override void Seal(uint self)
    {
        base.Seal(self);
        if (Keeper == self && ShutdownState != 0 && HasFarHolder)
        {
            SocketCalls.Shutdown(Descriptors[0].Fd, ShutdownState - 1);
        }
    }

    /// <summary>Makes the two ends, this one first; a negative first number is -errno.</summary>
    protected abstract (int Near, int Far) MakePair();

    /// <summary>For connections whose other end nobody holds any more.</summary>
    protected virtual void BeforeClosingFarEnd(int farEnd)
    {
    }

    private static void Close(ref int fd)
    {
        if (fd >= 0)
        {
            Kernel.Close(fd);
            fd = -1;
        }
    }
}
