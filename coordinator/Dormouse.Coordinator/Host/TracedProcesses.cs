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
    public static string? Problem(IReadOnlyDictionary<Member, ProcessStatus> local)
    {
        foreach ((Member member, ProcessStatus status) in local)
        {
            if (status.Tracer > 0 && local.Keys.FirstOrDefault(other => other.HostPid == status.Tracer) is { } by)
                return $"{member} is traced by {by}, which would stand still with it. Try again when that has ended, or trace it from outside of the computation.";
        }

        return null;
    }
}
