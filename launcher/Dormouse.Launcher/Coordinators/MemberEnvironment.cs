using Dormouse.Launcher.Interop;

namespace Dormouse.Launcher.Coordinators;

/// <summary>The variables by which a process knows that it belongs to a computation. Read by libdormouse.</summary>
internal static class MemberEnvironment
{
    public const string Preload = "LD_PRELOAD";
    public const string Coordinator = "DORMOUSE_COORDINATOR";
    public const string Token = "DORMOUSE_TOKEN";
    public const string Stdio = "DORMOUSE_STDIO";
    public const string Namespaces = "DORMOUSE_NAMESPACES";

    /// <summary>Says nothing: the library takes all of these out of the program's environment, and wants their number to be even (hide() in
    /// native-shim/src/membership.c). A preload that has others in it stays.</summary>
    public const string Even = "DORMOUSE_EVEN";

    /// <summary>The value of <see cref="Namespaces"/> for what is started from here.</summary>
    public static string OwnNamespaces
    {
        get
        {
            Start.Stat("/", out Start.FileStatus root);
            return Dormouse.Protocol.Programs.Namespaces.Describe(path => new FileInfo(path).LinkTarget, root.Device, root.Inode);
        }
    }

    /// <summary>Changes for a tool of ours that is started as a process of its own: it is no member. A token that the user has set
    /// stays; one that came with a coordinator is the computation's that we are in.</summary>
    public static IEnumerable<KeyValuePair<string, string>> ForTools
    {
        get
        {
            yield return new(Preload, WithoutLibrary(Environment.GetEnvironmentVariable(Preload) ?? ""));
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Coordinator))) yield break;
            yield return new(Token, "");
            yield return new(Coordinator, "");
        }
    }

    /// <summary>The user's own preloads: LD_PRELOAD without ours. Separated by colons or blanks, ld.so(8).</summary>
    public static string WithoutLibrary(string preload)
        => string.Join(':', preload.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries).Where(path => Path.GetFileName(path) != LibraryName));

    public const string LibraryName = "libdormouse.so";
}
