namespace Dormouse.Launcher.Tools;

/// <summary>Settings that come from an option or else from the environment.</summary>
internal static class SettingsReader
{
    /// <summary>Seconds between checkpoints: the option, or DORMOUSE_CHECKPOINT_INTERVAL, or null.</summary>
    public static uint? Interval(string? option)
    {
        if (option is not null) return (uint?)Number.Parse(option, "--interval", 0);
        string? variable = Environment.GetEnvironmentVariable("DORMOUSE_CHECKPOINT_INTERVAL");
        return string.IsNullOrEmpty(variable) ? null : (uint?)Number.Parse(variable, "DORMOUSE_CHECKPOINT_INTERVAL", 0);
    }

    /// <summary>Where images go, absolute: the option, or DORMOUSE_CHECKPOINT_DIR, or null.</summary>
    public static string? Directory(string? option)
    {
        string? text = option ?? Environment.GetEnvironmentVariable("DORMOUSE_CHECKPOINT_DIR");
        return string.IsNullOrEmpty(text) ? null : Path.GetFullPath(text);
    }

    /// <summary>Makes the directory when it is missing, and sees that images can be written there.</summary>
    /// <exception cref="ToolException">They cannot.</exception>
    public static void CheckDirectory(string directory, int exitCode)
    {
        try
        {
            System.IO.Directory.CreateDirectory(directory);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(exitCode, $"The checkpoint directory {directory} cannot be made ({problem.Message.TrimEnd('.')}). Choose another with --ckptdir.");
        }

        // Only making a file tells: access(2) says yes to root where the file system says no.
        try
        {
            string probe = Path.Combine(directory, $".dormouse-probe-{Environment.ProcessId}");
            using FileStream file = new(probe, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(exitCode, $"Images cannot be written to {directory} ({problem.Message.TrimEnd('.')}). Choose another directory with --ckptdir.");
        }
    }
}
