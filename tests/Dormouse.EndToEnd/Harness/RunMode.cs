using NUnit.Framework;

namespace Dormouse.EndToEnd.Harness;

/// <summary>Who runs the computation, and whether it is woken in a pod.</summary>
internal sealed record RunMode(string Name, bool AsRoot, bool Pod)
{
    /// <summary>An ordinary user: user 1000 when the tests run as root.</summary>
    public static readonly RunMode User = new("user", AsRoot: false, Pod: true);

    public static readonly RunMode Root = new("root", AsRoot: true, Pod: true);

    /// <summary>Without namespaces: the process ids must be free.</summary>
    public static readonly RunMode RootNoPod = new("root-no-pod", AsRoot: true, Pod: false);

    /// <summary>The same where user namespaces are not allowed: the process ids are waited for, one after the other.</summary>
    public static readonly RunMode UserNoPod = new("user-no-pod", AsRoot: false, Pod: false);

    /// <summary>The name of the network namespace to run in, ip-netns(8); empty: the tests' own. Entering one needs root.</summary>
    public string NetworkNamespace { get; init; } = "";

    private const string OrdinaryUser = "1000";

    /// <summary>What stands before a command so that it runs as this user. Without a pod the process group and session of the test
    /// runner, which go on living, cannot be made again: the program gets its own.</summary>
    public string[] Prefix => [.. NetworkNamespace.Length > 0 ? ["ip", "netns", "exec", NetworkNamespace] : Array.Empty<string>(), .. Pod ? Array.Empty<string>() : ["setsid"], .. IsOtherUser ? s_becomeUser : []];

    /// <summary>The owner of the test's files, as chown(1) takes it; null when nothing has to be done.</summary>
    public string? Owner => IsOtherUser ? $"{OrdinaryUser}:{OrdinaryUser}" : null;

    /// <summary>Leaves the test out where this cannot be tried.</summary>
    public void RequirePossible()
    {
        if (AsRoot && !Environment.IsPrivilegedProcess) Assert.Ignore("needs root");
        if (Pod && !Probe.Value.Contains("pod: ok", StringComparison.Ordinal)) Assert.Ignore($"this host allows no pods: {Probe.Value}");
    }

    public override string ToString() => Name;

    private static readonly string[] s_becomeUser = ["setpriv", "--reuid", OrdinaryUser, "--regid", OrdinaryUser, "--clear-groups"];

    private bool IsOtherUser => Environment.IsPrivilegedProcess && !AsRoot;

    private static readonly Lazy<string> Probe = new(() =>
    {
        System.Diagnostics.ProcessStartInfo start = new(Path.Combine(Built.Build, "lib", "dormouse", "dormouse-restorer"), "--probe")
        {
            RedirectStandardOutput = true,
        };
        using System.Diagnostics.Process probe = System.Diagnostics.Process.Start(start)!;
        return probe.StandardOutput.ReadToEnd();
    });
}
