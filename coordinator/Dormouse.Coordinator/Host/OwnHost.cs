using Dormouse.Protocol;

namespace Dormouse.Coordinator.Host;

/// <summary>The host that this process runs on, in the words that members use for theirs.</summary>
public static class OwnHost
{
    private static readonly string s_bootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").TrimEnd();

    public static string Name { get; } = File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd();

    public static string Id { get; } = IdInNamespaceOf("/proc/self");

    /// <summary>Whether it names this host, in whatever PID namespace.</summary>
    public static bool IsSameBoot(string hostId) => hostId.StartsWith(s_bootId + "-", StringComparison.Ordinal);

    /// <summary>What a process of this host calls the host.</summary>
    /// <param name="process">Its directory in /proc.</param>
    public static string IdInNamespaceOf(string process) => HostId.Format(s_bootId, PidNamespaceInode(process));

    /// <summary>The target of the link is "pid:[4026531836]", see namespaces(7).</summary>
    private static ulong PidNamespaceInode(string process)
    {
        string target = new FileInfo($"{process}/ns/pid").LinkTarget ?? "";
        int open = target.IndexOf('[', StringComparison.Ordinal), close = target.IndexOf(']', StringComparison.Ordinal);
        return open >= 0 && close > open && ulong.TryParse(target.AsSpan(open + 1, close - open - 1), out ulong inode) ? inode : 0;
    }
}
