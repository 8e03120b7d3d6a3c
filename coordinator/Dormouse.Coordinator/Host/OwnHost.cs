using Dormouse.Protocol;

namespace Dormouse.Coordinator.Host;

/// <summary>The host that this process runs on, in the words that members use for theirs.</summary>
public static class OwnHost
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    public static string Name { get; } = File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd();

    public static string Id { get; } = HostId.Format(File.ReadAllText(BootIdFile).TrimEnd(), PidNamespaceInode());

    /// <summary>The target of the link is "pid:[4026531836]", see namespaces(7).</summary>
    private static ulong PidNamespaceInode()
    {
        string target = new FileInfo("/proc/self/ns/pid").LinkTarget ?? "";
        int open = target.IndexOf('[', StringComparison.Ordinal), close = target.IndexOf(']', StringComparison.Ordinal);
        return open >= 0 && close > open && ulong.TryParse(target.AsSpan(open + 1, close - open - 1), out ulong inode) ? inode : 0;
    }
}
