using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>Those who wait for all members to end.</summary>
internal sealed class Endings(Computation computation)
{
    private static readonly TimeSpan s_endPoll = TimeSpan.FromMilliseconds(5);

    private readonly List<Ending> _all = [];

    /// <summary>One was for the coordinator too, and is over.</summary>
    public bool QuitRequested { get; private set; }

    /// <summary>Members are being ended: whoever joins now is to end as well.</summary>
    public bool IsKilling => _all.Count > 0;

    /// <summary>When to look next. A connection ends a moment before its process does, and nothing tells of that.</summary>
    public TimeSpan NextDeadline
        => _all.Count == 0 ? Timeout.InfiniteTimeSpan
            : computation.Table.Count == 0 ? computation.Now + s_endPoll
            : _all.Min(ending => ending.Deadline);

    public void Add(Peer? client, bool quit, Action whenDone)
    {
        _all.Add(new Ending(client, quit, computation.Now + computation.Options.Deadlines.Kill, whenDone));
        Consider();
    }

    /// <summary>A peer no longer listens.</summary>
    public void Forget(Peer peer)
    {
        foreach (Ending ending in _all)
        {
            if (ending.Client == peer) ending.Client = null;
        }
    }

    /// <summary>Answers those who wait, when the members are gone or had time enough.</summary>
    public void Consider()
    {
        if (_all.Count == 0) return;
        computation.Absentees.Forget();
        bool gone = computation.Table.Count == 0 && computation.Absentees.Count == 0;
        foreach (Ending ending in _all.ToArray())
        {
            if (!gone && computation.Now < ending.Deadline) continue;
            _all.Remove(ending);
            QuitRequested |= ending.Quit;
            if (computation.Table.Count == 0) ending.WhenDone();
            else ending.Client?.Send(new CommandFailed(FailureKind.Failed, $"These did not end: {string.Join("; ", computation.Members.Take(5))}."));
        }
    }
}

/// <summary>Somebody waits for all members to end.</summary>
internal sealed class Ending(Peer? client, bool quit, TimeSpan deadline, Action whenDone)
{
    public Peer? Client { get; set; } = client;

    public bool Quit { get; } = quit;

    public TimeSpan Deadline { get; } = deadline;

    public void WhenDone()
    {
        if (Client is not null) whenDone();
    }
}
