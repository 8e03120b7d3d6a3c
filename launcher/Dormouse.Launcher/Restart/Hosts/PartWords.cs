using System.Text;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>
/// What the dmrestart that was called and those on other hosts say to each other. Down: lines on ssh's standard input, which nobody else
/// can read; up: on a connection of their own, since ssh's standard output is the woken programs'.
/// </summary>
internal static class PartWords
{
    /// <summary>The name under which the executable is the part on another host.</summary>
    public const string RemoteName = "restart-remote";

    // First request: where to answer, and what to look for.
    public const string Control = "control";
    public const string Session = "session";
    public const string Reach = "reach";
    public const string Look = "look";

    // Second request: what to wake.
    public const string Wake = "wake";
    public const string Coordinator = "coordinator";
    public const string Token = "token";
    public const string Option = "option";

    /// <summary>Ends a request.</summary>
    public const string End = "end";

    /// <summary>Third request: all hosts are ready.</summary>
    public const string Go = "go";

    // Options of the second request.
    public const string CheckOnly = "check";
    public const string Quiet = "quiet";
    public const string AcceptChangedFiles = "accept-changed-files";
    public const string Pod = "pod";
    public const string NoPod = "no-pod";

    // First words of answers.
    public const string Problem = "problem";
    public const string Catalog = "catalog";
    public const string Ready = "ready";
    public const string Begun = "begun";

    /// <summary>Any text as one word.</summary>
    public static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public static string Decode(string word) => Encoding.UTF8.GetString(Convert.FromBase64String(word));
}
