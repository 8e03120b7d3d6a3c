namespace Dormouse.Protocol.Programs;

/// <summary>
/// What a computation lives in, besides the namespace of PIDs: "mnt:[4026531841],net:[4026531840],…,root:2049:2", the last being the root
/// directory's device and inode. A program that has left it sees other files, hosts or users, and a restart would put it back among the others.
/// </summary>
/// <remarks>The targets of the links in /proc/self/ns, see namespaces(7).</remarks>
public static class Namespaces
{
    private static readonly (string Link, string Name)[] s_kinds =
        [("mnt", "mount"), ("net", "network"), ("uts", "UTS"), ("ipc", "IPC"), ("user", "user")];

    /// <param name="readLink">Reads a symbolic link; null when that cannot be done.</param>
    /// <param name="rootDevice">st_dev of "/".</param>
    /// <param name="rootInode">st_ino of "/".</param>
    public static string Describe(Func<string, string?> readLink, ulong rootDevice, ulong rootInode)
    {
        string[] parts = new string[s_kinds.Length + 1];
        for (int i = 0; i < s_kinds.Length; i++) parts[i] = readLink("/proc/self/ns/" + s_kinds[i].Link) ?? "";
        parts[^1] = "root:" + rootDevice.ToString() + ":" + rootInode.ToString();
        return string.Join(',', parts);
    }

    /// <summary>What is another one, as a sentence goes on after "it lives in"; null: nothing, as far as both are known.</summary>
    public static string? Difference(string home, string own)
    {
        string[] before = home.Split(','), now = own.Split(',');
        for (int i = 0; i < Math.Min(before.Length, now.Length); i++)
        {
            if (before[i].Length == 0 || now[i].Length == 0 || before[i] == now[i]) continue;
            return i < s_kinds.Length
                ? $"a {s_kinds[i].Name} namespace of its own, as unshare(1) and containers make it"
                : "a root directory of its own (chroot)";
        }

        return null;
    }
}
