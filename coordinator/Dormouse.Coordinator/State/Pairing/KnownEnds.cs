using Dormouse.Protocol;

namespace Dormouse.Coordinator.State.Pairing;

/// <summary>What earlier checkpoints have found out about ends of connections, so that it is found out once: a socket's other end never changes.</summary>
internal sealed class KnownEnds
{
    private sealed record Known(SocketId? Other, NamedEnd Name)
    {
        public HashSet<uint> Strangers { get; } = [];
    }

    private readonly Dictionary<SocketId, Known> _ends = [];
    private uint _groups;

    /// <summary>The names of an end whose other end is known; null when it is not.</summary>
    public NamedEnd? NameOf(SocketId id) => _ends.TryGetValue(id, out Known? known) && known.Other is not null ? known.Name : null;

    /// <summary>They were in one round, and no two of them belong together.</summary>
    public void AddStrangers(IEnumerable<SocketId> ends)
    {
        _groups++;
        foreach (SocketId id in ends)
        {
            if (!_ends.TryGetValue(id, out Known? known)) _ends.Add(id, known = new Known(null, default));
            known.Strangers.Add(_groups);
        }
    }

    public bool AreStrangers(SocketId one, SocketId other)
        => _ends.TryGetValue(one, out Known? known) && _ends.TryGetValue(other, out Known? its) && known.Strangers.Overlaps(its.Strangers);

    public void AddPair(DoubtfulEnd connected, DoubtfulEnd accepted)
    {
        ulong name = Host.RandomBytes.TakeUInt64();
        ResourceKey first = new(name, 1), second = new(name, 2);
        // Who is known under its own address can be connected to. As a rule that is who was accepted, unless the way to it was translated.
        bool listens = connected.Report.Local == accepted.Report.Peer && connected.Report.Peer != accepted.Report.Local;
        _ends[connected.Id] = new Known(accepted.Id, new NamedEnd(connected.Id.Cookie, first, second, listens));
        _ends[accepted.Id] = new Known(connected.Id, new NamedEnd(accepted.Id.Cookie, second, first, !listens));
    }

    /// <summary>Forgets what is not open any more.</summary>
    public void KeepOnly(IReadOnlySet<SocketId> open)
    {
        foreach (SocketId id in _ends.Keys.Where(id => !open.Contains(id)).ToArray()) _ends.Remove(id);
    }
}
