using Dormouse.Protocol;

namespace Dormouse.UnitTests.Simulation;

/// <summary>Members on hosts of their own with connections between them whose addresses are translated, and kernels that answer probes.</summary>
internal sealed class SimulatedNetwork : IDisposable
{
    private readonly SimulatedComputation _computation = new();
    private readonly Dictionary<string, MemberScript> _members = [];
    private readonly Dictionary<(string Member, ulong Cookie), SimulatedEnd> _ends = [];
    private ulong _cookies = 100;

    /// <summary>How many keepalive probes were sent.</summary>
    public int Probes { get; private set; }

    /// <param name="sent">Bytes from the client to the server.</param>
    /// <param name="missing">Those of them that the server's kernel has no room for yet.</param>
    public void Connect(string client, string server, uint sent = 0, uint missing = 0, ResourceKey clientKey = default, ResourceKey clientPeer = default)
    {
        SimulatedEnd one = Add(client, new(EndFlags.Connected, clientKey, clientPeer) { Sent = sent, Outstanding = missing });
        SimulatedEnd other = Add(server, new(EndFlags.Accepted, default, default) { Received = sent - missing });
        (one.Other, other.Other) = (other, one);
    }

    public void ConnectOutside(
        string member, EndFlags role, uint sent = 0, uint received = 0, bool isNoisy = false, ResourceKey key = default, ResourceKey peer = default)
        => Add(member, new(role, key, peer) { Sent = sent, Received = received, IsNoisy = isNoisy });

    public void Checkpoint()
    {
        foreach (MemberScript member in _members.Values)
        {
            SimulatedEnd[] own = [.. _ends.Values.Where(end => end.Member == member)];
            member.Inventory = [.. own.Select(end => new InventoryItem(end.Key, end.Peer, 1, 2, 3))];
            member.Ends = [.. own.Select((end, index) => new ConnectionEnd((uint)index, end.Cookie))];
            member.Probed = Do;
        }

        _computation.BeginCheckpoint();
        _computation.Settle();
        Assert.That(_computation.Client.Take()[^1].Kind, Is.EqualTo(FrameKind.CheckpointReport));
    }

    /// <summary>Each end knows the other one, and nobody else.</summary>
    public void AssertAllAreFound()
    {
        foreach (SimulatedEnd end in _ends.Values)
        {
            (ResourceKey key, ResourceKey peer) = NamesOf(end);
            SimulatedEnd[] others = [.. _ends.Values.Where(other => NamesOf(other).Key == peer)];
            Assert.That(others, Is.EqualTo(end.Other is null ? Array.Empty<SimulatedEnd>() : [end.Other]));
            Assert.That(_ends.Values.Count(other => NamesOf(other).Key == key), Is.EqualTo(1), "one name for each");
            if (end.Other is not null) Assert.That(end.Member.Named[end.Cookie].Listens, Is.Not.EqualTo(end.Other.Member.Named[end.Other.Cookie].Listens));
        }
    }

    public void Dispose() => _computation.Dispose();

    private static (ResourceKey Key, ResourceKey Peer) NamesOf(SimulatedEnd end)
        => end.Member.Named.TryGetValue(end.Cookie, out NamedEnd named) ? (named.Key, named.Peer) : (end.Key, end.Peer);

    private SimulatedEnd Add(string member, SimulatedEnd end)
    {
        if (!_members.TryGetValue(member, out MemberScript? script))
        {
            script = new MemberScript(_computation.Hello(member, host: member, hostId: member));
            _computation.Join(script);
            _members.Add(member, script);
        }

        end.Member = script;
        end.Cookie = ++_cookies;
        if (end.Key.IsNone) (end.Key, end.Peer) = (new ResourceKey(_cookies, 1), new ResourceKey(_cookies, 2));
        _ends.Add((member, end.Cookie), end);
        return end;
    }

    private EndReport[] Do(MemberScript member, ProbeEnds order)
    {
        SimulatedEnd[] meant = [.. order.Ends.Select(one => _ends[(member.Hello.Program, one.Cookie)])];
        foreach ((SimulatedEnd end, EndOrder one) in meant.Zip(order.Ends))
        {
            if (order.Step == ProbeStep.Prepare) end.MakeRoom(one.Value);
            if (order.Step == ProbeStep.Probe && end.Probe()) Probes++;
            if (end.IsNoisy) end.Segments++;
        }

        return [.. meant.Select(end => end.Report)];
    }
}
