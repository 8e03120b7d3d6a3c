// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>A listening socket, TCP or AF_UNIX: its name, its backlog, and who waits in it.</summary>
internal abstract class ListeningSocket(DescriptorInfo info, int backlog) : UnboundSocket(info)
{
    public override string Kind => "listener";

    public override string Description => $"{Info.Link} listening on {SocketName.Text(LocalAddress)}";

    public override string? Loss => Queue.Lost > 0
        ? $"{Name}: {Queue.Lost} connections that wait to be accepted on {SocketName.Text(LocalAddress)} come from outside the computation; after a restart their clients see a connection reset"
        : base.Loss;

    protected AcceptQueue Queue { get; } = new();

    public override void Announce(List<InventoryItem> items)
    {
        FillQueue();
        base.Announce(items);
        Queue.Announce(items);
    }

    public override void Link(Dictionary<ResourceKey, OpenFile> own) => Queue.Link(own);

    public override void Resolve(uint self, CandidateTable candidates)
    {
        base.Resolve(self, candidates);
        Queue.Resolve(candidates);
    }

    public override void MakeForOthers(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
        => Queue.MakeForOthers(exchange, Domain, Type, Protocol);

    public override void Fill(uint self, DescriptorExchange exchange)
    {
        base.Fill(self, exchange);
        if (Keeper == self)
        {
            int error = SocketCalls.Listen(Descriptors[0].Fd, backlog);
            if (error < 0)
            {
                throw new CheckpointException($"{Name} cannot listen on {SocketName.Text(LocalAddress)} again: {Errno.Text(error)}. Stop the program that uses this name and run dmrestart again.");
            }

            Queue.Connect(Domain == Constant.AF_UNIX ? 0 : TcpAddress.PortOf(SocketCalls.LocalAddress(Descriptors[0].Fd)));
        }
    }

    /// <summary>Finds out who waits to be accepted.</summary>
    /// <exception cref="CheckpointException">There is one with something in it.</exception>
    protected abstract void FillQueue();

    protected CheckpointException Unreadable(int waiting)
        => new($"{Name}, listening on {SocketName.Text(LocalAddress)}, has {waiting} connections waiting that the program does not accept, and nobody can look at what is in them. Try again when it does.") { IsPassing = true };
}
