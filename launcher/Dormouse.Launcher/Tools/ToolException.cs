namespace Dormouse.Launcher.Tools;

/// <summary>The tool ends here, with this exit code and one sentence for the user.</summary>
internal sealed class ToolException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
