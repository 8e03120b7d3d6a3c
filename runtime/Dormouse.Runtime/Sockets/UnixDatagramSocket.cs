// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>An AF_UNIX datagram socket: its name, whom it is connected to, and unread datagrams.</summary>
internal sealed class UnixDatagramSocket(DescriptorInfo info, UnixDiagnosis diagnosis) : SocketFile(info)
{
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);
    private readonly List<UnixDatagramSocket> _here = [];
    private SocketContents? _contents;

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

    public override void AdoptCarried(Func<int, OpenFile> adopt) => _contents = PeekCarried(adopt);

    public override void CaptureContents(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self)
        {
            _contents ??= SocketContents.Peek(Info.Fd, false);
        }
    }

    public override int Reopen() => SocketCalls.Create(Domain, Type, Protocol);

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
        foreach (SocketMessage message in _contents.Messages)
        {
            // Who had sent it, when that is here, or somebody without a name.
            int error = MessageSender.Send(SenderHere(message.Sender)?.Descriptors[0].Fd ?? anonymous, message, LocalAddress);
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
