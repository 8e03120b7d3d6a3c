// World: Frozen (capture), restored process (connect).
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>
/// The connections that wait to be accepted from a listening socket. Their server ends have no descriptor: nobody can look at what is in
/// them. Those with nothing in them are made again, in order, by the keeper of the listening socket, who gives the client ends to
/// their holders.
/// </summary>
internal sealed class AcceptQueue
{
    private const ulong QueuedBit = 1ul << 41;
    private readonly List<Entry> _entries = [];

    /// <summary>One connection that waits.</summary>
    /// <param name="Client">Key of the client's end.</param>
    /// <param name="Server">Key of the end that waits.</param>
    /// <param name="ClientAddress">Name of the client's end; empty when it has none.</param>
    /// <param name="ServerAddress">Where it has connected to.</param>
    /// <param name="IsEnded">The client has closed it.</param>
    internal sealed record Entry(ResourceKey Client, ResourceKey Server, byte[] ClientAddress, byte[] ServerAddress, bool IsEnded)
    {
        public List<Candidate> Holders { get; } = [];

        public OpenFile? Here { get; set; }

        public int Made { get; set; } = -1;

        public bool IsLost => Holders.Count == 0 && Here is null && !IsEnded;
    }

    /// <summary>The member that makes the connection again when the end at the other side of <paramref name="client"/> waits to be accepted.</summary>
    /// <param name="client">Key of the client's end.</param>
    /// <returns>The lowest that has the listening socket; uint.MaxValue when there is none.</returns>
    public static uint KeeperOf(ResourceKey client, CandidateTable candidates)
    {
        uint lowest = uint.MaxValue;
        foreach (Candidate candidate in candidates.WithPeer(client))
        {
            if ((candidate.Item.Auxiliary & QueuedBit) != 0)
            {
                lowest = Math.Min(lowest, candidate.Member);
            }
        }

        return lowest;
    }

    public static CheckpointException Unreadable(string connection)
        => new($"the connection {connection} waits to be accepted and has bytes in it, which nobody can look at before it is accepted. Try again when the server has done that.") { IsPassing = true };

    /// <summary>How many have clients outside the computation.</summary>
    public int Lost => _entries.FindAll(entry => entry.IsLost).Count;

    /// <summary>A member on another host has the client's end of one.</summary>
    public bool HasClientsElsewhere => _entries.Exists(entry => entry.Here is null && entry.Holders.Count > 0
        && entry.Holders.TrueForAll(holder => holder.Item.Thread != ObjectKeys.HostMark));

    /// <summary>The next in the queue.</summary>
    public void Add(Entry entry) => _entries.Add(entry);

    public void Announce(List<InventoryItem> items)
    {
        foreach (Entry entry in _entries)
        {
            items.Add(new InventoryItem(entry.Server, entry.Client, ObjectKeys.HostMark, 0, QueuedBit));
        }
    }

    public void Link(Dictionary<ResourceKey, OpenFile> own)
    {
        foreach (Entry entry in _entries)
        {
            entry.Here = own.GetValueOrDefault(entry.Client);
            (entry.Here as ConnectedSocket)?.WaitsHere();
        }
    }

    public void Resolve(CandidateTable candidates)
    {
        foreach (Entry entry in _entries)
        {
            entry.Holders.Clear();
            entry.Holders.AddRange(candidates.WithKey(entry.Client));
        }
    }

    /// <summary>Makes the client ends that only other members have.</summary>
    public void MakeForOthers(DescriptorExchange exchange, int domain, int type, int protocol)
    {
        foreach (Entry entry in _entries)
        {
            if (entry.Here is not null || entry.IsLost)
            {
                continue;
            }

            int itsDomain = entry.Holders.Count > 0 && domain != Constant.AF_UNIX ? TcpAddress.DomainOf(entry.Holders[0]) : domain;
            entry.Made = DescriptorNumbers.Raise(SocketCalls.Create(itsDomain, type, protocol));
            foreach (Candidate holder in entry.Holders)
            {
                exchange.Send(holder.Member, SocketFile.IdOf(entry.Client), entry.Made);
            }
        }
    }

    /// <summary>Connects them all, first come first, to the socket that listens again.</summary>
    /// <param name="port">Of that socket; 0: it has none.</param>
    public void Connect(int port)
    {
        foreach (Entry entry in _entries)
        {
            if (!entry.IsLost)
            {
                Connect(entry, port);
            }
        }
    }

    private static void Connect(Entry entry, int port)
    {
        int fd = entry.Here?.Descriptors[0].Fd ?? entry.Made;
        int domain = SocketCalls.Domain(fd);
        // All that it needs is here: it is made at once, or the program must wait for it, as it would then.
        Kernel.Fcntl(fd, Constant.F_SETFL, Constant.O_NONBLOCK);
        int error = domain == Constant.AF_UNIX ? ConnectUnix(fd, entry) : ConnectInternet(fd, domain, entry, port);
        if (error is < 0 and not -Errno.InProgress)
        {
            throw new CheckpointException($"the connection from {SocketName.Text(entry.ClientAddress)} to {SocketName.Text(entry.ServerAddress)} that waits to be accepted cannot be made again: {Errno.Text(error)}. Run dmrestart again.");
        }

        Kernel.Fcntl(fd, Constant.F_SETFL, 0);
        if (entry.Made >= 0)
        {
            Kernel.Close(entry.Made);
            entry.Made = -1;
        }
    }

    private static int ConnectUnix(int fd, Entry entry)
    {
        SocketName.Bind(fd, Constant.AF_UNIX, entry.ClientAddress, "a connection that waits to be accepted");
        return SocketName.Connect(fd, entry.ServerAddress);
    }

    private static int ConnectInternet(int fd, int domain, Entry entry, int port)
    {
        byte[] client = TcpAddress.For(domain, OldAddresses.ToNow(entry.ClientAddress));
        byte[] server = TcpAddress.For(domain, TcpAddress.WithPort(OldAddresses.ToNow(entry.ServerAddress), port));
        int error = ClientPort.Connect(fd, domain, client, server);
        byte[] now = SocketCalls.LocalAddress(fd);
        AcceptOrder.Add(now, server);
        if (TcpAddress.PortOf(now) != TcpAddress.PortOf(client))
        {
            OldAddresses.ClientMoved(SocketCalls.Protocol(fd), entry.ClientAddress, now);
        }

        return error;
    }
}
