using Dormouse.Launcher.Tools;

namespace Dormouse.Launcher.Coordinators;

/// <summary>A file with nothing but the coordinator's port, for scripts that let the kernel pick one.</summary>
internal static class PortFile
{
    /// <summary>As a whole or not at all: a script waits for it to appear.</summary>
    public static void Write(string path, int port)
    {
        string temporary = $"{path}.{Environment.ProcessId}";
        try
        {
            File.WriteAllText(temporary, $"{port}\n");
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.CannotLaunch, $"The port cannot be written to {path}: {problem.Message}");
        }
    }
}
