using Dormouse.Coordinator.State;

namespace Dormouse.Coordinator.Host;

/// <summary>
/// Asks before anybody stands still whether a process is stopped, as by ^Z: nothing runs in it, so nothing can be asked of it.
/// </summary>
/// <remarks>
/// Continuing it for the checkpoint could be seen: its handler of SIGCONT would run, its parent be told, and a job in the background that
/// reads its terminal be stopped again at once. See docs/decisions/0017-stopped-processes.md.
/// </remarks>
internal static class StoppedProcesses
{
    /// <param name="local">Those that can be seen from here.</param>
    /// <param name="absentees">Who is about to join.</param>
    /// <returns>A sentence that says who is and what to do; null: nobody is, as far as can be seen from here.</returns>
    public static string? Problem(IReadOnlyDictionary<Member, ProcessStatus> local, IEnumerable<Absentee> absentees)
    {
        foreach ((Member member, ProcessStatus status) in local)
        {
            if (status.IsStoppedBySignal) return Sentence(member.ToString(), member.HostPid!.Value);
        }

        foreach (Absentee absentee in absentees)
        {
            ProcessIdentity identity = absentee.Identity;
            if (identity.HostId == OwnHost.Id && ProcessStatus.Read(identity.Pid).IsStoppedBySignal)
                return Sentence($"pid {identity.Pid} ({absentee.Program}) on {absentee.HostName}", identity.Pid);
        }

        return null;
    }

    private static string Sentence(string who, int pid)
        => $"{who} is stopped, as by ^Z, and nothing can be asked of it. Continue it, with fg or kill -CONT {pid}, and run the checkpoint again.";
}
