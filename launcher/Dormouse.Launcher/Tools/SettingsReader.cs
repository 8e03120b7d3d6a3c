using Dormouse.Launcher.Interop;

namespace Dormouse.Launcher.Tools;

/// <summary>Settings that come from an option or else from the environment.</summary>
internal static class SettingsReader
{
    /// <summary>Seconds between checkpoints: the option, or DORMOUSE_CHECKPOINT_INTERVAL, or null.</summary>
    public static uint? Interval(int? option)
    {
        string? text = option?.ToString() ?? Environment.GetEnvironmentVariable("DORMOUSE_CHECKPOINT_INTERVAL");
        if (string.IsNullOrEmpty(text)) return null;
        return uint.TryParse(text, out uint seconds) && seconds <= int.MaxValue ? seconds
            : throw new ToolException(ExitCode.Usage, $"{text} is no interval; give whole seconds, or 0 for none.");
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

        Errno error = Start.Access(directory, Start.FileAccess.Write | Start.FileAccess.Execute);
        if (error != Errno.None)
            throw new ToolException(exitCode, $"Images cannot be written to {directory} ({error.Say()}). Choose another directory with --ckptdir.");
    }
}
