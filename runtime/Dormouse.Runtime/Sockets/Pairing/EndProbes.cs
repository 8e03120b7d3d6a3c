// World: Frozen. All members are suspended; the kernel still sends and receives.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.Pairing;

/// <summary>Does what the coordinator wants to be done with ends of connections whose other end is not known: docs/decisions/0024.</summary>
internal sealed class EndProbes(uint epoch, List<TcpConnection> connections) : IDisposable
{
    private const int AwaitMilliseconds = 1500, AnswerMilliseconds = 2000;
    private readonly Dictionary<ulong, TcpConnection> _connections = [];
    private readonly Dictionary<ulong, ProbedEnd> _ends = [];

    public EndReports Do(in ProbeEnds order)
    {
        switch (order.Step)
        {
            case ProbeStep.Prepare:
                Prepare(order.Ends);
                break;
            case ProbeStep.Await:
                List<ProbedEnd> senders = Prepared(Array.FindAll(order.Ends, end => end.Value != 0));
                Wait(() => senders.TrueForAll(end => end.CanProbeNow), AwaitMilliseconds);
                break;
            case ProbeStep.Probe:
                Probe(Prepared(order.Ends));
                break;
        }

        return new EndReports(epoch, Array.ConvertAll(order.Ends, end => Find(end.Cookie).Report()));
    }

    /// <summary>These are known by other names than their addresses.</summary>
    public void Name(in NamedEnds named)
    {
        foreach (NamedEnd end in named.Ends)
        {
            Find(end.Cookie).Rename(end);
        }
    }

    public void Dispose()
    {
        foreach (ProbedEnd end in _ends.Values)
        {
            end.Dispose();
        }

        _ends.Clear();
    }

    private void Prepare(EndOrder[] orders)
    {
        foreach (EndOrder order in orders)
        {
            _ends.TryAdd(order.Cookie, new ProbedEnd(Find(order.Cookie).Info.Fd));
        }

        foreach (EndOrder order in orders)
        {
            _ends[order.Cookie].Receive(order.Value);
        }
    }

    private static void Probe(List<ProbedEnd> ends)
    {
        foreach (ProbedEnd end in ends)
        {
            end.Probe();
        }

        Wait(() => ends.TrueForAll(end => end.HasAnswer), AnswerMilliseconds);
        foreach (ProbedEnd end in ends)
        {
            end.Stop();
        }
    }

    private List<ProbedEnd> Prepared(EndOrder[] orders)
    {
        var ends = new List<ProbedEnd>(orders.Length);
        foreach (EndOrder order in orders)
        {
            if (_ends.TryGetValue(order.Cookie, out ProbedEnd? end))
            {
                ends.Add(end);
            }
        }

        return ends;
    }

    private static void Wait(Func<bool> isDone, int milliseconds)
    {
        for (int waited = 0; waited < milliseconds && !isDone(); waited++)
        {
            Kernel.Sleep(1);
        }
    }

    private TcpConnection Find(ulong cookie)
    {
        if (_connections.Count == 0)
        {
            foreach (TcpConnection connection in connections)
            {
                _connections[connection.Cookie] = connection;
            }
        }

        return _connections[cookie];
    }
}
