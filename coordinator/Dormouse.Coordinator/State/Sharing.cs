using System.Runtime.InteropServices;
using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>Finds for each member what others hold of the same, or at the other end of the same.</summary>
internal sealed class Sharing
{
    private readonly List<Candidate> _all = [];
    private readonly Dictionary<ResourceKey, List<int>> _byKey = [];

    /// <param name="members">Ascending by number: candidates come out in that order.</param>
    public Sharing(IEnumerable<Member> members)
    {
        foreach (Member member in members)
        {
            foreach (InventoryItem item in member.Inventory)
            {
                int index = _all.Count;
                _all.Add(new Candidate(member.Id, member.Hello.Pid, item));
                AddUnder(item.Key, index);
                if (item.Peer != item.Key) AddUnder(item.Peer, index);
            }
        }
    }

    /// <summary>Every other member's item whose key or peer is the key or peer of one of <paramref name="member"/>'s.</summary>
    public Candidate[] CandidatesOf(Member member)
    {
        SortedSet<int> found = [];
        HashSet<ResourceKey> asked = [];
        foreach (InventoryItem item in member.Inventory)
        {
            Collect(item.Key);
            Collect(item.Peer);
        }

        Candidate[] candidates = new Candidate[found.Count];
        int next = 0;
        foreach (int index in found) candidates[next++] = _all[index];
        return candidates;

        void Collect(ResourceKey key)
        {
            if (key.IsNone || !asked.Add(key)) return;
            foreach (int index in _byKey[key])
            {
                if (_all[index].Member != member.Id) found.Add(index);
            }
        }
    }

    private void AddUnder(ResourceKey key, int index)
    {
        if (key.IsNone) return;
        ref List<int>? indexes = ref CollectionsMarshal.GetValueRefOrAddDefault(_byKey, key, out _);
        (indexes ??= []).Add(index);
    }
}
