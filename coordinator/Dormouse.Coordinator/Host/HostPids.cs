using Dormouse.Coordinator.State;

namespace Dormouse.Coordinator.Host;

/// <summary>
/// The PIDs that members have in the PID namespace of the coordinator. Processes in a pod know only those of the pod, and a user's
/// ps(1) and kill(1) only these.
/// </summary>
/// <remarks>"NSpid:  4711  5" of proc_pid_status(5): in our namespace, and in its own.</remarks>
internal static class HostPids
{
    /// <summary>Finds those that are not known yet; what runs on other hosts stays unknown.</summary>
    public static void Find(IEnumerable<Member> members)
    {
        Dictionary<ProcessIdentity, Member>? inPods = null;
        foreach (Member member in members)
        {
            if (member.HostPid is not null) continue;
            member.HostPid = member.Hello.HostId == OwnHost.Id ? member.Hello.Pid : 0;
            if (member.HostPid == 0 && OwnHost.IsSameBoot(member.Hello.HostId)) (inPods ??= [])[member.Identity] = member;
        }

        if (inPods is null) return;
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), out int pid) && IdentityInPod(directory) is { } identity
                && inPods.TryGetValue(identity, out Member? member))
                member.HostPid = pid;
        }
    }

    private static ProcessIdentity? IdentityInPod(string directory)
    {
        const string Numbers = "NSpid:";
        try
        {
            foreach (string line in File.ReadLines($"{directory}/status"))
            {
                if (!line.StartsWith(Numbers, StringComparison.Ordinal)) continue;
                string[] pids = line[Numbers.Length..].Split('\t', StringSplitOptions.RemoveEmptyEntries);
                return pids.Length > 1 ? new ProcessIdentity(OwnHost.IdInNamespaceOf(directory), int.Parse(pids[^1])) : null;
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is somebody else's.
        }

        return null;
    }
}
