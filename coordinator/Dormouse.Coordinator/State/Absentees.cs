using Dormouse.Coordinator.Host;

namespace Dormouse.Coordinator.State;

/// <summary>A process that belongs to the computation though it has no connection just now.</summary>
/// <param name="Doing">What it is busy with, to follow "to" in a sentence.</param>
/// <param name="Until">When it is no longer waited for.</param>
internal sealed record Absentee(ProcessIdentity Identity, string HostName, ulong StartTime, string Program, string Doing, TimeSpan Until)
{
    public override string ToString() => $"pid {Identity.Pid} ({Program}) on {HostName} to {Doing}{Identity.WhySilent}";
}

/// <summary>
/// Processes that are about to come: launched and not yet in their main(), or in the middle of an exec. Some never come (a program
/// into which the library cannot be loaded, or that has left for good), so each is waited for only so long.
/// </summary>
internal sealed class Absentees(Func<TimeSpan> now)
{
    private readonly Dictionary<ProcessIdentity, Absentee> _all = [];

    /// <summary>The last one that did not come in time.</summary>
    public Absentee? Late { get; private set; }

    public IReadOnlyCollection<Absentee> All => _all.Values;

    public int Count => _all.Count;

    public void Add(Absentee absentee) => _all[absentee.Identity] = absentee;

    public void Remove(ProcessIdentity identity) => _all.Remove(identity);

    public void Clear() => _all.Clear();

    public void ForgetLate() => Late = null;

    /// <summary>Drops those who have ended, as a program may do before it has spoken to the coordinator.</summary>
    public void ForgetEnded()
    {
        foreach (Absentee absentee in _all.Values.ToArray())
        {
            if (HasEnded(absentee)) _all.Remove(absentee.Identity);
        }
    }

    private static bool HasEnded(Absentee absentee)
        => absentee.Identity.HostId == OwnHost.Id && !LocalProcess.IsAlive(absentee.Identity.Pid, absentee.StartTime);

    /// <summary>Drops those who have ended, as far as that can be seen from here, and those who had time enough.</summary>
    public void Forget()
    {
        foreach (Absentee absentee in _all.Values.ToArray())
        {
            bool ended = HasEnded(absentee);
            if (!ended && now() <= absentee.Until) continue;
            _all.Remove(absentee.Identity);
            if (!ended) Late = absentee;
        }
    }
}
