using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A socket that is not connected and does not listen; it may be bound.</summary>
internal class UnboundSocket(DescriptorInfo info) : SocketFile(info)
{
    private byte[] _shown = [];
    private SocketPlace _place;

    public override string Kind => "socket";

    public override int Reopen() => SocketCalls.Create(Domain, Type, Protocol);

    /// <summary>Names are given back when all connections are made: making them needs the same ports for a moment.</summary>
    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self)
        {
            Options.RestoreBeforeUse(Descriptors[0].Fd);
            SocketName.BindShown(Descriptors[0].Fd, Domain, Protocol, _shown, Name);
            _place.Restore(Name);
        }
    }

    /// <summary>The keeper of a port says which one it is going to bind.</summary>
    public void ClaimPort(uint self)
    {
        if (Keeper == self && IsInternetName)
        {
            OldAddresses.Claim(Protocol, _shown);
        }
    }

    public override void Capture()
    {
        base.Capture();
        _shown = ShownNames.Of(Info.Fd, Protocol, LocalAddress, []).Local;
        _place = SocketPlace.Of(LocalAddress);
    }

    /// <summary>In every holder: the program sees the address that it has bound.</summary>
    public override void Seal(uint self)
    {
        base.Seal(self);
        if (Keeper == self)
        {
            _place.RemoveAgain();
        }

        if (IsInternetName)
        {
            ShownNames.Expect(Descriptors[0].Fd, Protocol, _shown, []);
        }
    }

    /// <summary>What the program has bound, which may not be here.</summary>
    protected byte[] ShownAddress => _shown;

    private bool IsInternetName => Domain != Constant.AF_UNIX && SocketName.IsBound(Domain, _shown);
}
