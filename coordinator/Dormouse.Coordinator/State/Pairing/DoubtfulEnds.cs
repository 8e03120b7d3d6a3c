using Dormouse.Protocol;

namespace Dormouse.Coordinator.State.Pairing;

/// <summary>Finds the ends whose addresses do not tell what they belong to, and writes their new names into what members have announced.</summary>
internal sealed class DoubtfulEnds
{
    private readonly Dictionary<SocketId, DoubtfulEnd> _all = [];
    private readonly HashSet<SocketId> _ambiguous = [];
    private readonly Dictionary<Member, List<NamedEnd>> _names = [];

    /// <param name="members">Ascending by number.</param>
    public DoubtfulEnds(IReadOnlyCollection<Member> members)
    {
        Dictionary<ResourceKey, SocketId> owners = [];
        HashSet<ResourceKey> shared = [], wanted = [], present = [];
        foreach ((SocketId id, _, InventoryItem item) in EndsOf(members))
        {
            Open.Add(id);
            wanted.Add(item.Peer);
            if (!owners.TryAdd(item.Key, id) && owners[item.Key] != id) shared.Add(item.Key);
        }

        if (Open.Count == 0) return;
        foreach (InventoryItem item in members.SelectMany(member => member.Inventory))
        {
            if (wanted.Contains(item.Key)) present.Add(item.Key);
        }

        foreach ((SocketId id, (Member member, int index), InventoryItem item) in EndsOf(members))
        {
            if (!shared.Contains(item.Key) && !shared.Contains(item.Peer) && present.Contains(item.Peer)) continue;
            if (!_all.TryGetValue(id, out DoubtfulEnd? doubtful)) _all.Add(id, doubtful = new DoubtfulEnd(id, member, item.Key, item.Peer));
            if (shared.Contains(item.Key)) _ambiguous.Add(id);
            doubtful.Items.Add((member, index));
        }
    }

    /// <summary>All ends, also those that nobody doubts.</summary>
    public HashSet<SocketId> Open { get; } = [];

    public IReadOnlyCollection<DoubtfulEnd> All => _all.Values;

    /// <summary>Those who have the same addresses as others, but each other on one host.</summary>
    public IEnumerable<(DoubtfulEnd One, DoubtfulEnd Other)> Neighbors()
    {
        DoubtfulEnd[] ambiguous = [.. _ambiguous.Select(id => _all[id])];
        return from one in ambiguous from other in ambiguous where one.Id.Cookie < other.Id.Cookie && one.IsBeside(other) select (one, other);
    }

    /// <summary>Gives all their names for this checkpoint.</summary>
    public void Name(KnownEnds known)
    {
        foreach (DoubtfulEnd end in _all.Values)
        {
            if (known.NameOf(end.Id) is { } name) Rename(end, name);
            else if (_ambiguous.Contains(end.Id)) Rename(end, new NamedEnd(end.Id.Cookie, new ResourceKey(Host.RandomBytes.TakeUInt64(), 1), default, Listens: false));
        }
    }

    /// <summary>What to tell a member.</summary>
    public NamedEnd[] NamesFor(Member member) => _names.TryGetValue(member, out List<NamedEnd>? names) ? [.. names] : [];

    private static IEnumerable<(SocketId Id, (Member Member, int Index) Place, InventoryItem Item)> EndsOf(IEnumerable<Member> members)
        => from member in members
           from end in member.Ends
           select (new SocketId(member.Hello.HostId, end.Cookie), (member, (int)end.Item), member.Inventory[end.Item]);

    private void Rename(DoubtfulEnd end, in NamedEnd name)
    {
        foreach ((Member member, int item) in end.Items)
        {
            member.Inventory[item] = member.Inventory[item] with { Key = name.Key, Peer = name.Peer };
            if (!_names.TryGetValue(member, out List<NamedEnd>? names)) _names.Add(member, names = []);
            names.Add(name);
        }
    }
}
