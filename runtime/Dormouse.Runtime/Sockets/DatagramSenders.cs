// World: Frozen (announce, resolve), restored process (lend, take).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>The named sockets of other members that have sent what one AF_UNIX datagram socket has not read, and those that want to borrow it.</summary>
internal sealed class DatagramSenders
{
    private const ulong Role = (3ul << 32) | 2, WantedBit = 1ul << 43;
    private readonly List<Sender> _senders = [];
    private readonly List<uint> _borrowers = [];

    private sealed record Sender(byte[] Name, ResourceKey Key)
    {
        public bool IsMember { get; set; }

        public int Fd { get; set; } = -1;

        public bool IsOwn { get; set; }
    }

    /// <summary>Says what we are called, and whom we have heard.</summary>
    public void Announce(List<InventoryItem> items, byte[] ownName, SocketContents unread)
    {
        if (SocketName.IsBound(Constant.AF_UNIX, ownName))
        {
            items.Add(new InventoryItem(KeyOf(ownName), default, 0, 0, 0));
        }

        foreach (SocketMessage message in unread.Messages)
        {
            if (SocketName.IsBound(Constant.AF_UNIX, message.Sender) && Find(message.Sender) is null)
            {
                _senders.Add(new Sender(message.Sender, KeyOf(message.Sender)));
                items.Add(new InventoryItem(KeyOf(message.Sender), default, 0, 0, WantedBit));
            }
        }
    }

    /// <param name="ownName">What we are called.</param>
    /// <param name="candidates">What the other members have announced.</param>
    /// <param name="isHere">Whether this process has the socket with a name itself.</param>
    public void Resolve(byte[] ownName, CandidateTable candidates, Func<byte[], bool> isHere)
    {
        ResourceKey ownKey = SocketName.IsBound(Constant.AF_UNIX, ownName) ? KeyOf(ownName) : default;
        foreach (Candidate candidate in ownKey.IsNone ? [] : candidates.WithKey(ownKey))
        {
            if (IsWanted(candidate) && !_borrowers.Contains(candidate.Member))
            {
                _borrowers.Add(candidate.Member);
            }
        }

        foreach (Sender sender in _senders)
        {
            if (candidates.WithKey(sender.Key).Exists(candidate => !IsWanted(candidate)))
            {
                sender.IsMember = !isHere(sender.Name);
            }
        }
    }

    /// <summary>In the member that makes this socket: lends it, and expects those of the senders.</summary>
    public void Lend(DescriptorExchange exchange, byte[] ownName, int fd)
    {
        foreach (uint borrower in _borrowers)
        {
            exchange.Send(borrower, IdOf(KeyOf(ownName)), fd);
        }

        foreach (Sender sender in _senders)
        {
            if (sender.IsMember)
            {
                exchange.Expect(IdOf(sender.Key));
            }
        }
    }

    public void Take(DescriptorExchange exchange)
    {
        foreach (Sender sender in _senders)
        {
            sender.Fd = sender.IsMember ? exchange.Take(IdOf(sender.Key)) : -1;
        }
    }

    /// <summary>A socket of this name, or -1. All names are back: one that is free belonged to somebody who has gone.</summary>
    public int Of(byte[] name)
    {
        if (Find(name) is not { } sender)
        {
            return -1;
        }

        if (sender.Fd < 0 && name[2] == 0)
        {
            sender.Fd = SocketCalls.Create(Constant.AF_UNIX, Constant.SOCK_DGRAM, 0);
            sender.IsOwn = true;
            if (SocketCalls.Bind(sender.Fd, name) < 0)
            {
                Close(sender);
            }
        }

        return sender.Fd;
    }

    /// <summary>Closes what was made here; what was lent belongs to the exchange.</summary>
    public void Close()
    {
        foreach (Sender sender in _senders)
        {
            Close(sender);
        }
    }

    private static void Close(Sender sender)
    {
        if (sender.IsOwn && sender.Fd >= 0)
        {
            Kernel.Close(sender.Fd);
            sender.Fd = -1;
        }
    }

    private Sender? Find(byte[] name) => _senders.Find(sender => sender.Name.AsSpan().SequenceEqual(name));

    private static bool IsWanted(Candidate candidate) => (candidate.Item.Auxiliary & WantedBit) != 0;

    private static ResourceKey KeyOf(byte[] name) => ObjectKeys.OfInode("unix-name", 0, ObjectKeys.Hash(Convert.ToHexString(name)));

    private static DescriptionId IdOf(ResourceKey key) => new(key.High, key.Low, Role);
}
