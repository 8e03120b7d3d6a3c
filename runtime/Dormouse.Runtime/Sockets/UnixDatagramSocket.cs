// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>An AF_UNIX datagram socket: its name, whom it is connected to, and unread datagrams.</summary>
internal sealed class UnixDatagramSocket(DescriptorInfo info) : SocketFile(info)
{
    private readonly UnixDiagnosis _diagnosis = UnixDiagnosis.Of(info.Status.Inode);
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);
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

    public override void Link(System.Collections.Generic.Dictionary<ResourceKey, OpenFile> own)
        => _pairHere = !Peer.IsNone && own.TryGetValue(Peer, out OpenFile? far) ? far as UnixDatagramSocket : null;

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

    /// <summary>All names exist only when this stage is over: connections are made, and datagrams sent, in the next.</summary>
    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (Keeper != self)
        {
            return;
        }

        int fd = Descriptors[0].Fd;
        Options.RestoreBuffers(fd);
        SocketName.Bind(fd, Domain, LocalAddress, Name);
        SendUnread(fd);
    }

    public override void Seal(uint self)
    {
        if (Keeper == self && SocketName.IsBound(Constant.AF_UNIX, _peerAddress))
        {
            SocketCalls.Connect(Descriptors[0].Fd, _peerAddress);
        }

        base.Seal(self);
    }

    // Sent from a socket without a name: the receiver no longer learns who had sent them.
    private unsafe void SendUnread(int fd)
    {
        if (_contents!.IsEmpty)
        {
            return;
        }

        byte[] address = LocalAddress;
        if (!SocketName.IsBound(Constant.AF_UNIX, address))
        {
            // A half of a socketpair: the other half sends.
            if (_pairHere is not null)
            {
                _contents.Feed(_pairHere.Descriptors[0].Fd);
            }

            return;
        }

        int sender = SocketCalls.Create(Domain, Type, Protocol);
        int error = SocketCalls.Connect(sender, address);
        error = error < 0 ? error : _contents.Feed(sender);
        Kernel.Close(sender);
        if (error < 0)
        {
            throw new CheckpointException($"{Name}: unread datagrams do not fit into the new socket: {Errno.Text(error)}. Raise net.unix.max_dgram_qlen and run dmrestart again.");
        }
    }
}
