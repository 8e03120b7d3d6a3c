// World: Frozen.
namespace Dormouse.Runtime.Descriptors;

/// <summary>What the other members have announced, by key: a process may have thousands of sockets, and each asks.</summary>
internal sealed class CandidateTable
{
    private static readonly List<Candidate> s_none = [];
    private readonly Candidate[] _all;
    private readonly Dictionary<ResourceKey, int> _withKey, _withPeer;

    // Of each: where the next one with the same key, or peer, is; -1 at the end.
    private readonly int[] _nextWithKey, _nextWithPeer;

    /// <param name="all">Ascending by member, and so are all answers.</param>
    public CandidateTable(Candidate[] all)
    {
        _all = all;
        (_withKey, _withPeer) = (new(all.Length), new(all.Length));
        _nextWithKey = new int[all.Length];
        _nextWithPeer = new int[all.Length];
        for (int i = all.Length - 1; i >= 0; i--)
        {
            _nextWithKey[i] = PutInFront(_withKey, all[i].Item.Key, i);
            _nextWithPeer[i] = PutInFront(_withPeer, all[i].Item.Peer, i);
        }
    }

    /// <summary>All items that name this object. Nobody may change the list.</summary>
    public List<Candidate> WithKey(ResourceKey key) => Follow(_withKey, _nextWithKey, key);

    /// <summary>All items whose other end is this object.</summary>
    public List<Candidate> WithPeer(ResourceKey peer) => Follow(_withPeer, _nextWithPeer, peer);

    private static int PutInFront(Dictionary<ResourceKey, int> first, ResourceKey key, int index)
    {
        int next = first.GetValueOrDefault(key, -1);
        first[key] = index;
        return next;
    }

    private List<Candidate> Follow(Dictionary<ResourceKey, int> first, int[] next, ResourceKey key)
    {
        int count = 0, head = first.GetValueOrDefault(key, -1);
        for (int i = head; i >= 0; i = next[i])
        {
            count++;
        }

        if (count == 0)
        {
            return s_none;
        }

        var found = new List<Candidate>(count);
        for (int i = head; i >= 0; i = next[i])
        {
            found.Add(_all[i]);
        }

        return found;
    }
}
