using Dormouse.Launcher.Interop;
using Dormouse.Launcher.Tools;

namespace Dormouse.Launcher.Coordinators;

/// <summary>
/// Where a user's coordinators are recorded: $DORMOUSE_RUNTIME_DIR, or $XDG_RUNTIME_DIR/dormouse, or /tmp/dormouse-UID.
/// Mode 0700 and owned by the user, or it is not used: it holds the tokens.
/// </summary>
internal static class RuntimeDirectory
{
    /// <summary>Directories to look into, the preferred one first. None is made.</summary>
    public static IEnumerable<string> Candidates()
    {
        string? own = Environment.GetEnvironmentVariable("DORMOUSE_RUNTIME_DIR");
        if (!string.IsNullOrEmpty(own))
        {
            yield return own;
            yield break;
        }

        string? session = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        if (!string.IsNullOrEmpty(session)) yield return Path.Combine(session, "dormouse");
        yield return $"/tmp/dormouse-{Start.EffectiveUser()}";
    }

    /// <summary>Those that exist and are private: anything else may have been put there by somebody else.</summary>
    public static IEnumerable<string> Existing()
    {
        foreach (string directory in Candidates())
        {
            if (Start.Stat(directory, out Start.FileStatus status) == Errno.None && status.Uid == Start.EffectiveUser() && (status.Mode & 0x3F) == 0)
                yield return directory;
        }
    }

    /// <summary>Makes the first that can be made.</summary>
    /// <exception cref="ToolException">None can.</exception>
    public static string Make()
    {
        string complaint = "";
        foreach (string directory in Candidates())
        {
            Errno error = Start.MakePrivateDirectory(directory);
            if (error == Errno.None) return directory;
            complaint = error == Errno.EPERM ? $"{directory} belongs to somebody else" : $"{directory}: {error.Say()}";
        }

        throw new ToolException(ExitCode.CannotLaunch,
            $"No private directory for coordinator records can be made ({complaint}). Set DORMOUSE_RUNTIME_DIR to a directory of yours.");
    }
}
