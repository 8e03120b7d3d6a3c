using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>The processes behind connections of commands: a member may have started one, and it is still no part of the computation.</summary>
internal sealed class CommandPeers
{
    private readonly Dictionary<Peer, ProcessIdentity> _identities = [];

    public void Add(Peer peer, in CommandHello hello) => _identities[peer] = new ProcessIdentity(hello.HostId, hello.Pid);

    public void Remove(Peer peer) => _identities.Remove(peer);

    public bool Contains(ProcessIdentity identity) => _identities.ContainsValue(identity);

    public ProcessIdentity? Of(Peer peer) => _identities.TryGetValue(peer, out ProcessIdentity identity) ? identity : null;
}
