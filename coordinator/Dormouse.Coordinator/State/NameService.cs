using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>Tells members during a restart what others have published: where the other end of a connection is to be found now; and all of
/// them what was announced to all: where the hosts are now.</summary>
internal sealed class NameService(uint epoch)
{
    private readonly Dictionary<ResourceKey, byte[]> _values = [];
    private readonly List<(Member Member, ResourceKey[] Keys)> _waiting = [];
    private readonly Dictionary<ResourceKey, byte[]> _announced = [];

    public void Add(Publish publish)
    {
        foreach (PublishedName name in publish.Names) _values[name.Key] = name.Value;
        _waiting.RemoveAll(TryAnswer);
    }

    public void Ask(Member member, Lookup lookup)
    {
        foreach (ResourceKey[] keys in lookup.OneByOne ? lookup.Keys.Select(key => (ResourceKey[])[key]) : [lookup.Keys])
        {
            if (!TryAnswer((member, keys))) _waiting.Add((member, keys));
        }
    }

    public void Announce(Announce announce)
    {
        foreach (PublishedName name in announce.Names) _announced[name.Key] = name.Value;
    }

    /// <summary>Tells all what was announced since the last call.</summary>
    public void Tell(IEnumerable<Member> members)
    {
        if (_announced.Count == 0) return;
        Announced told = new(epoch, [.. _announced.Select(name => new PublishedName(name.Key, name.Value))]);
        foreach (Member member in members) member.Peer.Send(told);
        _announced.Clear();
    }

    private bool TryAnswer((Member Member, ResourceKey[] Keys) question)
    {
        PublishedName[] names = new PublishedName[question.Keys.Length];
        for (int i = 0; i < names.Length; i++)
        {
            if (!_values.TryGetValue(question.Keys[i], out byte[]? value)) return false;
            names[i] = new(question.Keys[i], value);
        }

        question.Member.Peer.Send(new Published(epoch, names));
        return true;
    }
}
