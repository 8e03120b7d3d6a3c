namespace Dormouse.Launcher.Ssh;

/// <summary>What the remote side says on ssh's standard output before the relays take over: lines that begin so.</summary>
internal static class SshWords
{
    /// <summary>"dormouse-ssh-here CLIENT": ready for the request; CLIENT is the address from which ssh came.</summary>
    public const string Here = "dormouse-ssh-here";

    /// <summary>There is no Dormouse.</summary>
    public const string Missing = "dormouse-ssh-missing";

    /// <summary>"dormouse-ssh-problem SENTENCE".</summary>
    public const string Problem = "dormouse-ssh-problem";

    /// <summary>The name under which the executable is the remote side.</summary>
    public const string RemoteName = "ssh-remote";
}
