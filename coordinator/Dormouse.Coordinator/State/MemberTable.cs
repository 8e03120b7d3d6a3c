namespace Dormouse.Coordinator.State;

/// <summary>The members of a computation, found by number, by connection and by process.</summary>
internal sealed class MemberTable(uint firstNumber)
{
    private readonly SortedDictionary<uint, Member> _byId = [];
    private readonly Dictionary<Peer, Member> _byPeer = [];
    private readonly Dictionary<ProcessIdentity, Member> _byIdentity = [];
    private uint _next = firstNumber;

    /// <summary>Ascending by number.</summary>
    public IReadOnlyCollection<Member> All => _byId.Values;

    public int Count => _byId.Count;

    public bool Contains(uint id) => _byId.ContainsKey(id);

    public bool Contains(Member member) => _byId.TryGetValue(member.Id, out Member? known) && known == member;

    public Member? Of(Peer peer) => _byPeer.GetValueOrDefault(peer);

    public Member? Of(ProcessIdentity identity) => _byIdentity.GetValueOrDefault(identity);

    /// <summary>The wanted number when it is free, else one that nobody has had; 0: any.</summary>
    public uint TakeNumber(uint wanted)
    {
        while (wanted == 0 || _byId.ContainsKey(wanted)) wanted = _next++;
        _next = Math.Max(_next, wanted + 1);
        return wanted;
    }

    /// <summary>Neither its number nor its process may be in the table.</summary>
    public void Add(Member member)
    {
        _byId.Add(member.Id, member);
        _byPeer.Add(member.Peer, member);
        _byIdentity.Add(member.Identity, member);
    }

    public void Remove(Member member)
    {
        _byId.Remove(member.Id);
        _byPeer.Remove(member.Peer);
        _byIdentity.Remove(member.Identity);
    }

    public void Clear()
    {
        _byId.Clear();
        _byPeer.Clear();
        _byIdentity.Clear();
    }
}
