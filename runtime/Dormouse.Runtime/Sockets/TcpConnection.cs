// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Files;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets.External;
using Dormouse.Runtime.Sockets.Pairing;

namespace Dormouse.Runtime.Sockets;

/// <summary>An established TCP connection, or one that is half closed. Both ends get their old addresses and ports back.</summary>
internal sealed class TcpConnection(DescriptorInfo info, TcpState state) : ConnectedSocket(info)
{
    private const int Linger = 13;
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);
    private (byte[] Local, byte[] Peer) _shown;
    private ReceiveBuffer.Before _narrow;
    private TcpState _state = state;
    private ResourceKey? _key, _peer;
    private bool _isAcknowledged;
    private bool _isDelivered;
    private RepairedConnection? _kept;
    private string? _obstacle;
    private NamedEnd? _name;

    public override string Kind => "tcp";

    public override string Description => $"{SocketName.Text(LocalAddress)} to {SocketName.Text(_peerAddress)}";

    public override bool IsRemote => FarEndHere is null && FarHolders.Count > 0 && (uint)FarHolders[0].Item.Thread != ObjectKeys.HostMark;

    /// <summary>Of the two keepers of a remote connection: this one listens, the other connects.</summary>
    public bool Listens => _name?.Listens ?? (Key.High, Key.Low).CompareTo((Peer.High, Peer.Low)) < 0;

    /// <summary>It goes through the network, where addresses may be translated.</summary>
    public bool IsInNetwork => !TcpAddress.IsLoopback(LocalAddress) || !TcpAddress.IsLoopback(_peerAddress);

    public ulong Cookie => SocketCalls.Cookie(Info.Fd);

    public EndReport Report() => EndCounters.Of(Info.Fd).Report(Cookie, LocalAddress, _peerAddress);

    /// <summary>Its addresses do not tell what its other end is; the coordinator has found out.</summary>
    public void Rename(NamedEnd name)
    {
        _name = name;
        (_key, _peer) = (name.Key, name.Peer);
    }

    public int SocketDomain => Domain;

    /// <summary>The new socket of a remote connection.</summary>
    public int MadeFd { get; private set; } = -1;

    public long UnreadBytes => Contents!.TotalBytes;

    public CapturedBytes UnreadFrom(long offset) => Contents!.From(offset);

    public bool IsMadeBy(uint self) => IsRemote && Keeper == self;

    public void Meet(int fd) => MadeFd = fd;

    public void BeginRefill() => _narrow = ReceiveBuffer.Widen(MadeFd, UnreadBytes + (64 * 1024));

    public void EndRefill()
    {
        ReceiveBuffer.Narrow(MadeFd, _narrow);
        Kernel.Close(MadeFd);
        MadeFd = -1;
    }

    public CheckpointException NotMade(string why, int error)
        => new($"{Name}: the TCP connection {SocketName.Text(_shown.Local)} to {SocketName.Text(_shown.Peer)} cannot be made again: {why}: {Errno.Text(error)}. Run dmrestart again.");

    /// <summary>With the host that holds it, and how much has gone out.</summary>
    public override void Announce(List<InventoryItem> items)
        => items.Add(new InventoryItem(Key, Peer, ObjectKeys.HostMark, _state.Sent, Auxiliary));

    // Networks may have the same private addresses: what is on this host is meant before what is on another.
    protected override List<Candidate> FarOf(List<Candidate> holders)
    {
        if (holders.TrueForAll(IsHere))
        {
            return holders;
        }

        List<Candidate> here = holders.FindAll(IsHere);
        return here.Count > 0 ? here : holders;

        static bool IsHere(Candidate holder) => holder.Item.Thread == ObjectKeys.HostMark;
    }

    public override int Reopen()
        => IsRemote ? Kernel.Fcntl(MadeFd, Constant.F_DUPFD_CLOEXEC)
            : IsTakenUp ? _kept!.Reopen(Domain, LocalAddress, _peerAddress, (uint)UnreadBytes, Name)
            : base.Reopen();

    /// <summary>Its peer is outside of the computation, and this member is the one to look after it.</summary>
    public bool IsExternal(uint self) => Keeper == self && !HasFarHolder;

    public ConnectionEnds Ends => new(LocalAddress, _peerAddress);

    /// <summary>Takes the connection out of its socket, for a restart to go on with it; null when that cannot be.</summary>
    public RepairedConnection? Keep()
    {
        if (UrgentPeek.Has(Info.Fd))
        {
            _obstacle = "there is an urgent byte in it";
            return null;
        }

        _kept = RepairedConnection.Capture(Info.Fd, Ends, TcpState.Of(Info.Fd), out int error);
        _obstacle = _kept is null ? Errno.Text(error) : null;
        return _kept;
    }

    // This restart goes on with the connection as its peer knows it.
    private bool IsTakenUp => _kept is not null && ExternalConnections.CanWakeUp;

    protected override bool IsPair => base.IsPair && !IsTakenUp;

    /// <summary>Both addresses name a connection; the other end has the same name the other way round.</summary>
    public override ResourceKey Key => _key ??= TcpAddress.KeyOf(LocalAddress, _peerAddress);

    public override ResourceKey Peer => _peer ??= TcpAddress.KeyOf(_peerAddress, LocalAddress);

    public override string? Loss
        => HasFarHolder || _kept is not null || (_state.HasReceivedEnd && !ExternalConnections.AreWanted) ? base.Loss
            : !ExternalConnections.AreWanted
                ? $"{Name}: the other end of the TCP connection {Description} is outside the computation, or behind an address translation (NAT) that could not be seen through; after a restart the program sees a connection reset"
            : (_obstacle ?? ExternalConnections.Obstacle) is { } why
                ? $"{Name}: the TCP connection {Description} with a peer outside the computation cannot be kept: {why}; after a restart the program sees a connection reset"
            : base.Loss;

    protected override bool HasPeer => true;

    protected override int ShutdownState => _state.HasSentEnd ? 2 : 0;

    public override bool IsSettled
    {
        get
        {
            if (!_isAcknowledged && _state.MayOweAcknowledgement)
            {
                ReceiveBuffer.Acknowledge(Info.Fd);
                _isAcknowledged = true;
            }

            // Of more than one path (MPTCP) the state is that of the first.
            return _isDelivered = (_state.IsDelivered && Protocol == SocketCalls.InternetTcp) || TcpDrain.IsDelivered(Info.Fd);
        }
    }

    /// <summary>The members that hold the other end must know whether it is an IPv4 or IPv6 socket, and whether to drain it.</summary>
    public override ulong Auxiliary => base.Auxiliary | TcpAddress.Announce(Domain, !_isDelivered, _state.HasSentEnd);

    /// <summary>Its ports must be free for a restart, however soon its processes are killed after this checkpoint or after the restart.</summary>
    public override void Capture()
    {
        PortReuse.Allow(Info.Fd);
        base.Capture();
        _shown = ShownNames.Of(Info.Fd, Protocol, LocalAddress, _peerAddress);
    }

    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (IsTakenUp)
        {
            int fd = Descriptors[0].Fd;
            Options.RestoreBeforeUse(fd);
            _kept!.Fill(fd, Contents!, Name);
            ExternalConnections.Add(_kept, fd);
            return;
        }

        base.Fill(self, exchange);
    }

    /// <summary>When the far end's kernel could not deliver all: its keeper lends it to the keeper of this end.</summary>
    public override void LendForDrain(uint self, DescriptorExchange exchange)
    {
        if (IsRemote)
        {
            return;
        }

        if (!_isDelivered && Keeper == self && FarEndHere is null && FarHolders.Count > 0)
        {
            exchange.Send(Sharing.LowestMember(uint.MaxValue, FarHolders), IdOf(Key), Info.Fd);
        }

        if (NeedsDrain && Keeper == self && FarEndHere is null)
        {
            exchange.Expect(IdOf(Peer));
        }
    }

    public override void Seal(uint self)
    {
        base.Seal(self);
        ShownNames.Expect(Descriptors[0].Fd, Protocol, _shown.Local, _shown.Peer);
    }

    protected override (int Near, int Far) MakePair()
    {
        byte[] local = NowWithPortOf(_shown.Local, LocalAddress);
        if (IsSelf)
        {
            int fd = TcpPair.MakeSelf(local, Domain, Name);
            return (fd, Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC));
        }

        if (!HasFarHolder)
        {
            // The other end's address may be that of another host, which cannot be had here.
            return TcpPair.MakeAnywhere(local, Domain, Name);
        }

        if (_name is not null)
        {
            return MakeTranslated(local);
        }

        int farDomain = FarEndHere is TcpConnection far ? far.Domain : TcpAddress.DomainOf(FarHolders[0]);
        return TcpPair.Make(local, Domain, NowWithPortOf(_shown.Peer, _peerAddress), farDomain, Name);
    }

    // What it sees of its other end is not where that is. Both ends have been on one host.
    private (int Near, int Far) MakeTranslated(byte[] local)
        => FarEndHere is TcpConnection far
            ? TcpPair.Make(local, Domain, NowWithPortOf(far._shown.Local, far.LocalAddress), far.Domain, Name)
            : TcpPair.Make(local, Domain, TcpAddress.WithPort(local, 0), TcpAddress.DomainOf(FarHolders[0]), Name);

    // The ports of the kernel excluded each other where the connection was, whatever the program takes them for.
    private static byte[] NowWithPortOf(byte[] shown, byte[] kernel) => TcpAddress.WithPort(OldAddresses.ToNow(shown), TcpAddress.PortOf(kernel));

    /// <summary>Nobody is there any more: a reset, unless the other side had ended the stream in order.</summary>
    protected override void BeforeClosingFarEnd(int farEnd)
    {
        if (farEnd >= 0 && !HasFarHolder && !_state.HasReceivedEnd)
        {
            SocketCalls.SetBytes(farEnd, Constant.SOL_SOCKET, Linger, [1, 0, 0, 0, 0, 0, 0, 0]);
        }
    }

    protected override SocketContents ReadContents(DescriptorExchange exchange)
    {
        if (IsRemote)
        {
            return ReadRemote();
        }

        if (_kept is not null)
        {
            return SocketContents.PeekTcp(Info.Fd, Options);
        }

        if (!HasFarHolder && !_state.HasReceivedEnd)
        {
            AwaitClosedSender();
        }

        return NeedsDrain ? Drain(FarEndHere?.Info.Fd ?? exchange.Take(IdOf(Peer))) : PeekWhole();
    }

    private SocketContents PeekWhole()
    {
        var contents = SocketContents.PeekTcp(Info.Fd, Options);
        contents.Buffers = contents.IsEmpty ? default : StreamBuffers.Of(-1, Info.Fd);
        return contents;
    }

    // Delivering enlarges the buffers: what they were is noted before.
    private SocketContents Drain(int far)
    {
        var buffers = StreamBuffers.Of(far, Info.Fd);
        bool isDelivered = TcpDrain.Deliver(Info.Fd, far);
        if (!isDelivered && HasFarSentEnd)
        {
            throw new CheckpointException($"{Name}: the program has ended the TCP connection {Description} while its peer has more to read than fits into its buffer. Raise net.ipv4.tcp_rmem, or try again when it has read more.") { IsPassing = true };
        }

        SocketContents contents = isDelivered ? SocketContents.PeekTcp(Info.Fd, Options) : new FullStream(Info.Fd, far, buffers, Name).Copy();
        contents.Buffers = buffers;
        return contents;
    }

    // The other host has said how much it has sent: all of it must be in this kernel before anybody looks.
    private SocketContents ReadRemote()
    {
        int missing = (int)(FarHolders[0].Item.Local - TcpState.Of(Info.Fd).Received);
        bool isHere = missing <= 0 || TcpDrain.DeliverFrom(Info.Fd, missing, () => FarHolders[0].Item.Local == TcpState.Of(Info.Fd).Received);
        if (!isHere || UrgentPeek.Has(Info.Fd))
        {
            string why = isHere ? "there is an urgent byte in it that the program has not read" : "there is more in it than fits into the receiver's buffer. Raise net.ipv4.tcp_rmem";
            throw new CheckpointException($"{Name}: the TCP connection {Description} with another host cannot be captured now: {why}. Try again when the program has read more.") { IsPassing = true };
        }

        return SocketContents.PeekTcp(Info.Fd, Options);
    }

    // Bound to one address and connected to the same: a connection without another end (RFC 9293, simultaneous open).
    private bool IsSelf => Key == Peer;

    private bool NeedsDrain
        => IsSelf ? !_isDelivered : FarEndHere is TcpConnection far ? !far._isDelivered : FarHolders.Count > 0 && TcpAddress.HasStuckBytes(FarHolders[0]);

    private bool HasFarSentEnd
        => FarEndHere is TcpConnection far ? far._state.HasSentEnd : FarHolders.Count > 0 && TcpAddress.HasSentEnd(FarHolders[0]);

    // The peer's process has closed its socket, but its kernel still has data for us, and then the end of the stream.
    private void AwaitClosedSender()
    {
        if (InetDiagnosis.Find(_peerAddress, LocalAddress) is not { Inode: 0, IsEstablished: false } sender || sender.Unsent == 0)
        {
            return;
        }

        if (!TcpDrain.DeliverFromClosed(Info.Fd, (int)sender.Unsent))
        {
            throw new CheckpointException($"{Name}: the peer of the TCP connection {Description} has closed it while there is more to read than fits into the buffer. Raise net.ipv4.tcp_rmem, or try again when the program has read more.") { IsPassing = true };
        }

        _state = TcpState.Of(Info.Fd);
    }
}
