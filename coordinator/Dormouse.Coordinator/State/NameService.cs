using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>Tells members during a restart what others have published: where the other end of a connection is to be found now.</summary>
internal sealed class NameService(uint epoch)
{
    private readonly Dictionary<ResourceKey, byte[]> _values = [];
    private readonly List<(Member Member, ResourceKey[] Keys)> _waiting = [];

    public void Add(Publish publish)
    {
        foreach (PublishedName name in publish.Names) _values[name.Key] = name.Value;
        _waiting.RemoveAll(TryAnswer);
    }

    public void Ask(Member member, Lookup lookup)
    {
        if (!TryAnswer((member, lookup.Keys))) _waiting.Add((member, lookup.Keys));
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
