// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>An AF_UNIX datagram socket: its name, whom it is connected to, and unread datagrams.</summary>
/// <remarks>Unread datagrams are sent anew by the sockets that had sent them: members lend each other theirs.</remarks>
internal sealed class UnixDatagramSocket(DescriptorInfo info, UnixDiagnosis diagnosis) : SocketFile(info)
{
    private const int CountShift = 44;
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);
    private readonly List<UnixDatagramSocket> _here = [];
    private readonly DatagramSenders _senders = new();
    private SocketContents? _contents;
    private SocketPlace _place;

    public override string Kind => "unix-datagram";

    public override string Description => SocketName.IsBound(Constant.AF_UNIX, LocalAddress) ? $"{Info.Link} named {SocketName.Text(LocalAddress)}" : Info.Link;

    public override ResourceKey Peer => diagnosis.PeerInode == 0 ? default : ObjectKeys.OfInode("socket", 0, diagnosis.PeerInode);

    public override void Link(Dictionary<ResourceKey, OpenFile> own)
    {
        foreach (OpenFile file in own.Values)
        {
            if (file is UnixDatagramSocket socket)
            {
                _here.Add(socket);
            }
        }
    }

    /// <summary>All who hold it look, one at a time: <see cref="Turn"/>.</summary>
    public override void AdoptCarried(Func<int, OpenFile> adopt)
    {
        if (Kernel.PollNow(Info.Fd, Constant.POLLIN) == 0)
        {
            EmptyDatagrams.Forget(Info.Fd);
            _contents = SocketContents.Empty;
            return;
        }

        using Turn turn = Turn.Await(Info.Link);
        _contents = SocketContents.Peek(Info.Fd, false);
        _contents.Adopt(adopt);
    }

    /// <summary>How many datagrams this holder has seen, above the open flags.</summary>
    public override ulong Auxiliary => base.Auxiliary | ((ulong)_contents!.Messages.Count << CountShift);

    /// <summary>Who has seen the most: an empty datagram is shown to the first who peeks, and then passed over
    /// (__skb_try_recv_from_queue in net/core/datagram.c).</summary>
    protected override uint Choose(uint self, List<Candidate> holders)
    {
        (uint keeper, ulong most) = (self, Auxiliary >> CountShift);
        foreach (Candidate holder in holders)
        {
            ulong seen = holder.Item.Auxiliary >> CountShift;
            if (seen > most || (seen == most && holder.Member < keeper))
            {
                (keeper, most) = (holder.Member, seen);
            }
        }

        if (most > Auxiliary >> CountShift)
        {
            EmptyDatagrams.NoteHidden(Info.Fd, _contents!.Messages);
        }

        return keeper;
    }

    public override void Announce(List<InventoryItem> items)
    {
        base.Announce(items);
        _senders.Announce(items, LocalAddress, _contents!);
    }

    public override void Resolve(uint self, CandidateTable candidates)
    {
        base.Resolve(self, candidates);
        _senders.Resolve(LocalAddress, candidates, name => SenderHere(name) is not null);
    }

    public override void Capture()
    {
        base.Capture();
        _place = SocketPlace.Of(LocalAddress);
        if (Keeper == Worker.Current.Member)
        {
            _contents!.CheckIsComplete(this);
        }
    }

    public override void MakeForOthers(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
        => _senders.Lend(exchange, LocalAddress, made[Id]);

    public override int Reopen() => SocketCalls.Create(Domain, Type, Protocol);

    /// <summary>All names exist only when this stage is over: datagrams are sent, and connections made, in the next.</summary>
    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self)
        {
            Options.RestoreBeforeUse(Descriptors[0].Fd);
            SocketName.Bind(Descriptors[0].Fd, Domain, LocalAddress, Name);
            _place.Restore(Name);
            _senders.Take(exchange);
        }
    }

    public override void Seal(uint self)
    {
        if (Keeper == self)
        {
            SendUnread();
            if (SocketName.IsBound(Constant.AF_UNIX, _peerAddress))
            {
                SocketName.Connect(Descriptors[0].Fd, _peerAddress);
            }
        }

        base.Seal(self);
    }

    private void SendUnread()
    {
        if (_contents!.IsEmpty)
        {
            return;
        }

        using var there = SocketDirectory.Enter(LocalAddress);
        int anonymous = SocketCalls.Create(Domain, Type, Protocol);
        foreach (SocketMessage message in _contents.Messages)
        {
            // Who had sent it, or somebody without a name.
            int sender = SenderHere(message.Sender)?.Descriptors[0].Fd ?? _senders.Of(message.Sender);
            int error = MessageSender.Send(sender < 0 ? anonymous : sender, message, LocalAddress);
            if (error < 0)
            {
                throw new CheckpointException($"{Name}: unread datagrams do not fit into the new socket: {Errno.Text(error)}. Raise net.unix.max_dgram_qlen and run dmrestart again.");
            }
        }

        Kernel.Close(anonymous);
        _senders.Close();
    }

    private UnixDatagramSocket? SenderHere(byte[] sender)
    {
        foreach (UnixDatagramSocket socket in _here)
        {
            if (sender.Length > 2 && socket.LocalAddress.AsSpan().SequenceEqual(sender))
            {
                return socket;
            }
        }

        return null;
    }
}
