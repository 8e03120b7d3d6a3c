using Dormouse.Launcher.Tools;

namespace Dormouse.Launcher.CoordinatorTool;

/// <summary>Where a coordinator logs: a file as told, standard error, or for a daemon coordinator-PORT.log beside its record.</summary>
internal sealed class LogOutput : IDisposable
{
    private static readonly TimeSpan s_oldest = TimeSpan.FromDays(7);

    private readonly string? _temporary;
    private readonly string _directory;

    private LogOutput(TextWriter writer, string directory, string? temporary) => (Writer, _directory, _temporary) = (writer, directory, temporary);

    public TextWriter Writer { get; }

    public static LogOutput Open(CoordinatorSettings settings, string runtimeDirectory)
    {
        if (settings.LogFile is null && !settings.Serve) return new LogOutput(Terminal.Error, runtimeDirectory, null);
        string path = settings.LogFile ?? Path.Combine(runtimeDirectory, $".coordinator.{Environment.ProcessId}.log");
        try
        {
            StreamWriter writer = new(path, append: true);
            return new LogOutput(writer, runtimeDirectory, settings.LogFile is null ? path : null);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.CannotLaunch, $"The log {path} cannot be written: {problem.Message}");
        }
    }

    /// <summary>The port is known now.</summary>
    public void NameAfter(int port)
    {
        if (_temporary is null) return;
        File.Move(_temporary, Path.Combine(_directory, $"coordinator-{port}.log"), overwrite: true);
        foreach (string old in Directory.EnumerateFiles(_directory, "coordinator-*.log"))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(old) > s_oldest && !File.Exists(Path.ChangeExtension(old, ".json"))) File.Delete(old);
        }
    }

    /// <summary>There is nothing to log after all.</summary>
    public void Discard()
    {
        if (_temporary is not null) File.Delete(_temporary);
    }

    public void Dispose()
    {
        if (Writer != Terminal.Error) Writer.Dispose();
    }
}
