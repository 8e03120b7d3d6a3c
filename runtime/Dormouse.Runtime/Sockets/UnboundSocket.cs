using Dormouse.Runtime.Descriptors;

namespace Dormouse.Runtime.Sockets;

/// <summary>A socket that is not connected and does not listen; it may be bound.</summary>
internal class UnboundSocket(DescriptorInfo info) : SocketFile(info)
{
    public override string Kind => "socket";

    public override int Reopen() => SocketCalls.Create(Domain, Type, Protocol);

    /// <summary>Names are given back when all connections are made: making them needs the same ports for a moment.</summary>
    public override void Fill(uint self, DescriptorExchange exchange)
    {
        if (Keeper == self)
        {
            Options.RestoreBeforeUse(Descriptors[0].Fd);
            SocketName.Bind(Descriptors[0].Fd, Domain, LocalAddress, Name);
        }
    }
}
