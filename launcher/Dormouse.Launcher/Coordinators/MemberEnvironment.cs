namespace Dormouse.Launcher.Coordinators;

/// <summary>The variables by which a process knows that it belongs to a computation. Read by libdormouse.</summary>
internal static class MemberEnvironment
{
    public const string Preload = "LD_PRELOAD";
    public const string Coordinator = "DORMOUSE_COORDINATOR";
    public const string Token = "DORMOUSE_TOKEN";
    public const string Stdio = "DORMOUSE_STDIO";

    /// <summary>Changes for a tool of ours that is started as a process of its own: it is no member.</summary>
    public static IEnumerable<KeyValuePair<string, string>> ForTools =>
    [
        new(Preload, WithoutLibrary(Environment.GetEnvironmentVariable(Preload) ?? "")),
        new(Token, ""),
        new(Coordinator, ""),
    ];

    /// <summary>The user's own preloads: LD_PRELOAD without ours. Separated by colons or blanks, ld.so(8).</summary>
    public static string WithoutLibrary(string preload)
        => string.Join(':', preload.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries).Where(path => Path.GetFileName(path) != LibraryName));

    public const string LibraryName = "libdormouse.so";
}
