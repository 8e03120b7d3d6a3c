using Dormouse.Protocol;

namespace Dormouse.Coordinator.State.Pairing;

/// <summary>An end of a connection of which no member holds the other end, as far as addresses tell; or that shares its addresses with another one.</summary>
/// <param name="Keeper">The member that is asked about it.</param>
internal sealed class DoubtfulEnd(SocketId id, Member keeper, ResourceKey key, ResourceKey peer)
{
    private uint _segments;

    public SocketId Id { get; } = id;

    public Member Keeper { get; } = keeper;

    /// <summary>Whether it is the other end as far as addresses tell, and on the same host, where addresses are what they seem to be.</summary>
    public bool IsBeside(DoubtfulEnd other) => Id.HostId == other.Id.HostId && (key, peer) == other.Names;

    private (ResourceKey Peer, ResourceKey Key) Names => (peer, key);

    /// <summary>All that members have announced of it.</summary>
    public List<(Member Member, int Item)> Items { get; } = [];

    /// <summary>What its keeper has said last.</summary>
    public EndReport Report { get; set; }

    /// <summary>Its number among those on its side that look alike; 0: it has none.</summary>
    public uint Code { get; set; }

    /// <summary>For each half of a round: whether it has sent a probe, and whether a packet has come.</summary>
    public List<(bool Sent, bool Heard)> Rounds { get; } = [];

    /// <summary>A packet that comes from now on is one of this half of a round.</summary>
    public void BeginListening() => _segments = Report.Segments;

    public void EndListening(bool hasSent)
    {
        bool hasHeard = Report.Segments != _segments;
        Rounds.Add((hasSent, hasHeard));
        // Nobody answers it; waiting for that once is enough.
        if (hasSent && !hasHeard) Code = 0;
    }

    /// <summary>Whether counters and states are those of two ends of one connection, this one having been connected and the other accepted.</summary>
    /// <remarks>What one has sent has come or is on the way: the programs stand still, so that number does not change.</remarks>
    public bool Mirrors(DoubtfulEnd accepted)
        => Report.Has(EndFlags.Connected) && accepted.Report.Has(EndFlags.Accepted)
            && HasCome(Report, accepted.Report) && HasCome(accepted.Report, Report);

    /// <summary>Whether it has heard what the other one has sent, and answers to what it has sent itself, and nothing else.</summary>
    public bool HasHeard(DoubtfulEnd other)
    {
        for (int i = 0; i < Rounds.Count; i++)
        {
            if (Rounds[i].Heard != (Rounds[i].Sent || other.Rounds[i].Sent)) return false;
        }

        return true;
    }

    /// <summary>Its probes were answered, and none came: it is not the other end of any that took part with it.</summary>
    public bool HasHeardNobody => Rounds.TrueForAll(round => round.Heard == round.Sent);

    private static bool HasCome(in EndReport from, in EndReport to)
        => unchecked(from.Sent - to.Received) <= from.Outstanding
            && (!to.Has(EndFlags.HasReceivedEnd) || from.Has(EndFlags.HasSentEnd))
            && (!from.Has(EndFlags.IsSentEndAcknowledged) || to.Has(EndFlags.HasReceivedEnd));
}
