namespace Dormouse.Protocol;

/// <summary>Names a set of processes that see each other under the same PIDs: one boot of one kernel, one PID namespace.</summary>
public static class HostId
{
    /// <param name="bootId">/proc/sys/kernel/random/boot_id, without the line end.</param>
    /// <param name="pidNamespaceInode">st_ino of /proc/self/ns/pid.</param>
    public static string Format(string bootId, ulong pidNamespaceInode) => bootId + "-" + pidNamespaceInode.ToString();
}
