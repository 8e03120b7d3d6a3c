using Dormouse.Coordinator.State;

namespace Dormouse.Coordinator.Host;

/// <summary>
/// Asks before anybody stands still whether a process is traced (ptrace(2)) by one that would stand still with it: then it could not, since its
/// tracer has to let each of its signals pass.
/// </summary>
/// <remarks>A tracer outside of the computation only makes it slower.</remarks>
internal static class TracedProcesses
{
    /// <returns>A sentence that says who is and what to do; null: nobody is, as far as can be seen from here.</returns>
    public static string? Problem(IEnumerable<Member> members)
    {
        Dictionary<int, Member> local = [];
        foreach (Member member in members)
        {
            if (member.HostPid is > 0 and int pid) local[pid] = member;
        }

        foreach ((int pid, Member member) in local)
        {
            if (LocalProcess.Tracer(pid) is > 0 and int tracer && local.TryGetValue(tracer, out Member? by))
                return $"{member} is traced by {by}, which would stand still with it. Try again when that has ended, or trace it from outside of the computation.";
        }

        return null;
    }
}
