using Dormouse.Protocol;

namespace Dormouse.Coordinator.State.Pairing;

/// <summary>Ends whose counters would fit each other: each of one side with at least one of the other, and all of them linked in that way.</summary>
/// <param name="Connected">Those that have called connect(2).</param>
/// <param name="Accepted">Those that were accepted.</param>
internal sealed record LookAlikes(List<DoubtfulEnd> Connected, List<DoubtfulEnd> Accepted)
{
    /// <summary>More look-alikes than can be told apart in <see cref="MostRounds"/> are left out.</summary>
    private const int MostOnOneSide = (1 << MostRounds) - 1;

    private const int MostRounds = 8;

    public IEnumerable<DoubtfulEnd> All => Connected.Concat(Accepted);

    /// <summary>So many bits have their numbers.</summary>
    public int Rounds => 32 - int.LeadingZeroCount(Math.Max(Connected.Count, Accepted.Count));

    public static List<LookAlikes> Find(IEnumerable<DoubtfulEnd> ends, KnownEnds known)
    {
        List<LookAlikes> found = [];
        LinkedList<DoubtfulEnd> connected = new(ends.Where(end => end.Report.Has(EndFlags.Connected)));
        LinkedList<DoubtfulEnd> accepted = new(ends.Where(end => end.Report.Has(EndFlags.Accepted)));
        while (accepted.Count > 0 && connected.First is { } first)
        {
            connected.RemoveFirst();
            List<DoubtfulEnd> together = [first.Value];
            for (int i = 0; i < together.Count; i++)
            {
                DoubtfulEnd one = together[i];
                Move(one.Report.Has(EndFlags.Connected) ? accepted : connected, together, end => Fit(one, end) && !known.AreStrangers(one.Id, end.Id));
            }

            if (together.Count > 1) found.Add(Number(together));
        }

        return found;
    }

    /// <summary>Those that could be the two ends of one connection.</summary>
    public IEnumerable<(DoubtfulEnd Connected, DoubtfulEnd Accepted)> Fitting()
        => from connected in Connected from accepted in Accepted where connected.Mirrors(accepted) select (connected, accepted);

    private static bool Fit(DoubtfulEnd one, DoubtfulEnd other) => one.Mirrors(other) || other.Mirrors(one);

    private static void Move(LinkedList<DoubtfulEnd> from, List<DoubtfulEnd> to, Func<DoubtfulEnd, bool> areMeant)
    {
        for (LinkedListNode<DoubtfulEnd>? node = from.First, next; node is not null; node = next)
        {
            next = node.Next;
            if (!areMeant(node.Value)) continue;
            to.Add(node.Value);
            from.Remove(node);
        }
    }

    private static LookAlikes Number(List<DoubtfulEnd> together)
    {
        LookAlikes found = new([], []);
        foreach (DoubtfulEnd end in together)
        {
            List<DoubtfulEnd> side = end.Report.Has(EndFlags.Connected) ? found.Connected : found.Accepted;
            if (side.Count == MostOnOneSide) continue;
            side.Add(end);
            end.Code = (uint)side.Count;
        }

        return found;
    }
}
