namespace Dormouse.Protocol.Programs;

/// <summary>
/// The namespaces that a computation lives in, besides that of PIDs: "mnt:[4026531841],net:[4026531840],…". A program that has left
/// them sees other files, hosts or users, and a restart would put it back among the others.
/// </summary>
/// <remarks>The targets of the links in /proc/self/ns, see namespaces(7).</remarks>
public static class Namespaces
{
    private static readonly (string Link, string Name)[] s_kinds =
        [("mnt", "mount"), ("net", "network"), ("uts", "UTS"), ("ipc", "IPC"), ("user", "user")];

    /// <param name="readLink">Reads a symbolic link; null when that cannot be done.</param>
    public static string Describe(Func<string, string?> readLink)
    {
        string[] targets = new string[s_kinds.Length];
        for (int i = 0; i < targets.Length; i++) targets[i] = readLink("/proc/self/ns/" + s_kinds[i].Link) ?? "";
        return string.Join(',', targets);
    }

    /// <summary>The kind of one that is another, in words; null: there is none, as far as both are known.</summary>
    public static string? Difference(string home, string own)
    {
        string[] before = home.Split(','), now = own.Split(',');
        if (before.Length != s_kinds.Length || now.Length != s_kinds.Length) return null;
        for (int i = 0; i < before.Length; i++)
        {
            if (before[i].Length > 0 && now[i].Length > 0 && before[i] != now[i]) return s_kinds[i].Name;
        }

        return null;
    }
}
