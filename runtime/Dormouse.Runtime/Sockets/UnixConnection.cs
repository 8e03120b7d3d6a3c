// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A connected AF_UNIX stream or seqpacket socket; after a restart one end of a socketpair(2).</summary>
internal sealed class UnixConnection(DescriptorInfo info, UnixDiagnosis diagnosis) : ConnectedSocket(info)
{
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);

    public override string Kind => "unix";

    public override string Description => $"{Info.Link}, peer inode {diagnosis.PeerInode}";

    public override ResourceKey Peer => diagnosis.PeerInode == 0 ? default : ObjectKeys.OfInode("socket", 0, diagnosis.PeerInode);

    protected override int ShutdownState => diagnosis.Shutdown;

    public override string? Loss
        => diagnosis.PeerInode != 0 && !HasFarHolder
            ? $"{Name}: the other end of this AF_UNIX connection is outside the computation (or not accepted yet); after a restart it is closed"
            : null;

    protected override SocketContents ReadContents(DescriptorExchange exchange)
        => UrgentPeek.Has(Info.Fd)
            ? throw new CheckpointException($"{Name} holds an urgent byte (MSG_OOB) that is not read yet, which cannot be restored on an AF_UNIX socket. Try again when it has been read.") { IsPassing = true }
            : base.ReadContents(exchange);

    protected override unsafe (int Near, int Far) MakePair()
    {
        if (SocketName.IsBound(Constant.AF_UNIX, LocalAddress) || SocketName.IsBound(Constant.AF_UNIX, _peerAddress))
        {
            return UnixPair.Make(Type, LocalAddress, _peerAddress);
        }

        int* ends = stackalloc int[2];
        long error = Kernel.Call(SystemCall.SocketPair, Domain, Type | Constant.SOCK_CLOEXEC, 0, (long)ends);
        return error < 0 ? ((int)error, -1) : (ends[0], ends[1]);
    }
}
