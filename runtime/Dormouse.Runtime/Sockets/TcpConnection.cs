// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>An established TCP connection, or one that is half closed. Both ends get their old addresses and ports back.</summary>
internal sealed class TcpConnection(DescriptorInfo info, TcpState state) : ConnectedSocket(info)
{
    private readonly byte[] _peerAddress = SocketCalls.PeerAddress(info.Fd);
    private const int ReuseAddress = 2;
    private readonly bool _hasStuckBytes = TcpDrain.HasStuckBytes(info.Fd);

    public override string Kind => "tcp";

    public override string Description => $"{SocketName.Text(LocalAddress)} to {SocketName.Text(_peerAddress)}";

    /// <summary>Both addresses name a connection; the other end has the same name the other way round.</summary>
    public override ResourceKey Key => TcpAddress.KeyOf(LocalAddress, _peerAddress);

    public override ResourceKey Peer => TcpAddress.KeyOf(_peerAddress, LocalAddress);

    protected override int ShutdownState => state.HasSentEnd ? 2 : 0;

    public override string? Loss
        => !HasFarHolder && !state.HasReceivedEnd
            ? $"{Name}: the other end of the TCP connection {Description} is outside the computation; after a restart the program sees a connection reset"
            : null;

    protected override (int Near, int Far) MakePair()
    {
        int farDomain = FarEndHere is TcpConnection far ? far.Domain : FarHolders.Count > 0 ? TcpAddress.DomainOf(FarHolders[0]) : Domain;
        return TcpPair.Make(LocalAddress, Domain, _peerAddress, farDomain, Name);
    }

    /// <summary>Nobody is there any more: a reset, unless the other side had ended the stream in order.</summary>
    protected override void BeforeClosingFarEnd(int farEnd)
    {
        const int Linger = 13;
        if (farEnd >= 0 && !HasFarHolder && !state.HasReceivedEnd)
        {
            SocketCalls.SetBytes(farEnd, Constant.SOL_SOCKET, Linger, [1, 0, 0, 0, 0, 0, 0, 0]);
        }
    }

    /// <summary>The members that hold the other end must know whether it is an IPv4 or IPv6 socket, and whether to drain it.</summary>
    public override ulong Auxiliary => base.Auxiliary | TcpAddress.Announce(Domain, _hasStuckBytes);

    /// <summary>Once its processes are killed the connection stays in TIME_WAIT for a minute. Only when it was marked for reuse can its
    /// ports be bound at once by a restart.</summary>
    public override void Capture()
    {
        base.Capture();
        if (_hasStuckBytes && state.HasSentEnd)
        {
            throw new CheckpointException($"{Name}: the program has ended the TCP connection {Description} while its peer has more to read than fits into its buffer, which cannot be restored yet. Try again when it has read more.");
        }

        SocketCalls.SetInt(Info.Fd, Constant.SOL_SOCKET, ReuseAddress, 1);
    }

    public override void Seal(uint self)
    {
        base.Seal(self);
        if (Keeper == self)
        {
            SocketCalls.SetInt(Descriptors[0].Fd, Constant.SOL_SOCKET, ReuseAddress, 1);
        }
    }

    /// <summary>When the far end's kernel could not deliver all: its keeper lends it to the keeper of this end.</summary>
    public override void LendForDrain(uint self, DescriptorExchange exchange)
    {
        if (_hasStuckBytes && Keeper == self && FarEndHere is null && FarHolders.Count > 0)
        {
            exchange.Send(Sharing.LowestMember(uint.MaxValue, FarHolders), IdOf(Key), Info.Fd);
        }

        if (NeedsDrain && Keeper == self && FarEndHere is null)
        {
            exchange.Expect(IdOf(Peer));
        }
    }

    private bool NeedsDrain
        => FarEndHere is TcpConnection far ? far._hasStuckBytes : FarHolders.Count > 0 && TcpAddress.HasStuckBytes(FarHolders[0]);

    protected override SocketContents ReadContents(DescriptorExchange exchange)
    {
        if (!NeedsDrain)
        {
            return base.ReadContents(exchange);
        }

        int far = FarEndHere?.Info.Fd ?? exchange.Take(IdOf(Peer));
        return TcpDrain.TakeAndPutBack(Info.Fd, far, Name);
    }
}
