using Dormouse.Protocol;

namespace Dormouse.Coordinator.State.Pairing;

/// <summary>
/// Finds out which ends belong together where address translation (NAT) lies between them. All programs stand still. Ends whose counters
/// mirror each other are candidates; the proof is that one hears what the other one sends: docs/decisions/0024.
/// </summary>
/// <param name="done">Called once, when members can be told.</param>
internal sealed class EndPairing(IReadOnlyCollection<Member> members, uint epoch, KnownEnds known, Action done)
{
    private readonly DoubtfulEnds _ends = new(members);
    private readonly HashSet<Member> _awaited = [];
    private readonly Dictionary<SocketId, DoubtfulEnd> _asked = [];
    private IEnumerator<object?>? _steps;

    public void Begin()
    {
        known.KeepOnly(_ends.Open);
        _steps = Steps().GetEnumerator();
        GoOn();
    }

    /// <exception cref="ProtocolException">Nobody has asked.</exception>
    public void Receive(Member member, in EndReports reports)
    {
        if (!_awaited.Remove(member)) throw new ProtocolException($"{member} was not asked about connections.");
        foreach (EndReport report in reports.Ends)
        {
            if (!_asked.TryGetValue(new SocketId(member.Hello.HostId, report.Cookie), out DoubtfulEnd? end) || end.Keeper != member)
                throw new ProtocolException($"{member} was not asked about this connection.");
            end.Report = report;
        }

        if (_awaited.Count == 0) GoOn();
    }

    /// <summary>What to tell a member before it gets the candidates.</summary>
    public NamedEnd[] NamesFor(Member member) => _ends.NamesFor(member);

    private void GoOn()
    {
        while (_awaited.Count == 0)
        {
            if (_steps!.MoveNext()) continue;
            _ends.Name(known);
            done();
            return;
        }
    }

    /// <summary>Everything that is to be done; at each yield the answers are waited for.</summary>
    private IEnumerable<object?> Steps()
    {
        foreach ((DoubtfulEnd one, DoubtfulEnd other) in _ends.Neighbors().Where(pair => known.NameOf(pair.One.Id) is null)) known.AddPair(one, other);
        List<DoubtfulEnd> unknown = [.. _ends.All.Where(end => known.NameOf(end.Id) is null)];
        if (unknown.Count < 2) yield break;
        yield return Ask(ProbeStep.Look, unknown);

        List<LookAlikes> groups = LookAlikes.Find(unknown, known);
        if (groups.Count == 0) yield break;
        List<DoubtfulEnd> all = [.. groups.SelectMany(group => group.All)];
        Dictionary<DoubtfulEnd, uint> missing = Missing(groups);
        yield return Ask(ProbeStep.Prepare, all, end => missing.GetValueOrDefault(end));

        for (int bit = 0; bit < groups.Max(group => group.Rounds); bit++)
        {
            uint mask = 1u << bit;
            yield return Ask(ProbeStep.Await, all, end => end.Code & mask);
            foreach (EndFlags side in (EndFlags[])[EndFlags.Connected, EndFlags.Accepted])
            {
                all.ForEach(end => end.BeginListening());
                List<DoubtfulEnd> senders = [.. all.Where(end => (end.Code & mask) != 0 && end.Report.Has(side))];
                yield return Ask(ProbeStep.Probe, senders);
                yield return Ask(ProbeStep.Look, all);
                all.ForEach(end => end.EndListening((end.Code & mask) != 0 && end.Report.Has(side)));
            }
        }

        Judge(groups);
    }

    /// <summary>How much each of them may have to receive yet.</summary>
    private static Dictionary<DoubtfulEnd, uint> Missing(List<LookAlikes> groups)
    {
        Dictionary<DoubtfulEnd, uint> missing = [];
        foreach ((DoubtfulEnd connected, DoubtfulEnd accepted) in groups.SelectMany(group => group.Fitting()))
        {
            foreach ((DoubtfulEnd from, DoubtfulEnd to) in ((DoubtfulEnd, DoubtfulEnd)[])[(connected, accepted), (accepted, connected)])
                missing[to] = Math.Max(missing.GetValueOrDefault(to), unchecked(from.Report.Sent - to.Report.Received));
        }

        return missing;
    }

    private void Judge(List<LookAlikes> groups)
    {
        foreach (LookAlikes group in groups)
        {
            List<(DoubtfulEnd Connected, DoubtfulEnd Accepted)> proven = [.. group.Fitting().Where(pair => pair.Connected.HasHeard(pair.Accepted) && pair.Accepted.HasHeard(pair.Connected))];
            foreach ((DoubtfulEnd connected, DoubtfulEnd accepted) in proven) known.AddPair(connected, accepted);
            known.AddStrangers(group.All.Where(end => end.HasHeardNobody).Select(end => end.Id));
        }
    }

    private object? Ask(ProbeStep step, IEnumerable<DoubtfulEnd> ends, Func<DoubtfulEnd, uint>? value = null)
    {
        foreach (IGrouping<Member, DoubtfulEnd> ofMember in ends.GroupBy(end => end.Keeper))
        {
            _awaited.Add(ofMember.Key);
            foreach (DoubtfulEnd end in ofMember) _asked[end.Id] = end;
            ofMember.Key.Peer.Send(new ProbeEnds(epoch, step, [.. ofMember.Select(end => new EndOrder(end.Id.Cookie, value?.Invoke(end) ?? 0))]));
        }

        return null;
    }
}
