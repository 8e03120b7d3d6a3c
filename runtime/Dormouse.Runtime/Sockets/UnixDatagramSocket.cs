// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>An AF_UNIX datagram socket: its name, whom it is connected to, and unread datagrams.</summary>
internal sealed class UnixDatagramSocket(DescriptorInfo info) : SocketFile(info)
{
    private readonly UnixDiagnosis _diagnosis = UnixDiagnosis.Of(info.Status.Inode);
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);
    private readonly List<UnixDatagramSocket> _here = [];
    private SocketContents? _contents;
    private UnixDatagramSocket? _pairHere;
    private int _half = -1;

    public override string Kind => "unix-datagram";

    public override string Description => SocketName.IsBound(Constant.AF_UNIX, LocalAddress) ? $"{Info.Link} named {SocketName.Text(LocalAddress)}" : Info.Link;

    public override ResourceKey Peer => _diagnosis.PeerInode == 0 ? default : ObjectKeys.OfInode("socket", 0, _diagnosis.PeerInode);

    private bool IsConnectedWithoutName => _diagnosis.PeerInode != 0 && !SocketName.IsBound(Constant.AF_UNIX, _peerAddress);

    public override string? Loss => IsConnectedWithoutName && _pairHere is null
        ? $"{Name}: the other end of this datagram socketpair is in another process; after a restart it is not connected"
        : null;

    public override void Link(Dictionary<ResourceKey, OpenFile> own)
    {
        _pairHere = !Peer.IsNone && own.TryGetValue(Peer, out OpenFile? far) ? far as UnixDatagramSocket : null;
        foreach (OpenFile file in own.Values)
        {
            if (file is UnixDatagramSocket socket)
            {
                _here.Add(socket);
            }
        }
    }

    public override void Capture()
    {
        base.Capture();
        _contents = Keeper == Worker.Current.Member ? SocketContents.Peek(Info.Fd, false, Name) : null;
    }

    public override unsafe int Reopen()
    {
        if (_half >= 0)
        {
            return _half;
        }

        if (IsConnectedWithoutName && _pairHere is not null && _pairHere != this)
        {
            int* ends = stackalloc int[2];
            Kernel.Call(SystemCall.SocketPair, Domain, Type | Constant.SOCK_CLOEXEC, 0, (long)ends);
            _pairHere._half = DescriptorNumbers.Raise(ends[1]);
            return ends[0];
        }

        return SocketCalls.Create(Domain, Type, Protocol);
    }

    /// <summary>All names exist only when this stage is over: datagrams are sent, and connections made, in the next.</summary>
    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self)
        {
            Options.RestoreBeforeUse(Descriptors[0].Fd);
            SocketName.Bind(Descriptors[0].Fd, Domain, LocalAddress, Name);
        }
    }

    public override void Seal(uint self)
    {
        if (Keeper == self)
        {
            SendUnread();
            if (SocketName.IsBound(Constant.AF_UNIX, _peerAddress))
            {
                SocketCalls.Connect(Descriptors[0].Fd, _peerAddress);
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

        int anonymous = SocketCalls.Create(Domain, Type, Protocol);
        bool hasName = SocketName.IsBound(Constant.AF_UNIX, LocalAddress);
        foreach ((byte[] bytes, byte[] sender) in _contents.Messages)
        {
            // Half of a socketpair: the other half sends. Else who had sent it, when that is here, or somebody without a name.
            int error = hasName
                ? SocketCalls.SendTo(SenderHere(sender)?.Descriptors[0].Fd ?? anonymous, bytes, LocalAddress)
                : _pairHere is null ? 0 : SocketCalls.SendTo(_pairHere.Descriptors[0].Fd, bytes, []);
            if (error < 0)
            {
                throw new CheckpointException($"{Name}: unread datagrams do not fit into the new socket: {Errno.Text(error)}. Raise net.unix.max_dgram_qlen and run dmrestart again.");
            }
        }

        Kernel.Close(anonymous);
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
