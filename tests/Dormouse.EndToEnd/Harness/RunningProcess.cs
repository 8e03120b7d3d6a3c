using System.Diagnostics;
using System.Text;

namespace Dormouse.EndToEnd.Harness;

/// <summary>A process that a test started: its output line by line, its standard input kept open, its exit code.</summary>
internal sealed class RunningProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task _outputEnd;
    private readonly Lock _lock = new();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private bool _disposed;

    private RunningProcess(Process process, string name, Transcript transcript)
    {
        _process = process;
        Name = name;
        _outputEnd = Task.WhenAll(
            CopyAsync(process.StandardOutput, _output, name, transcript),
            CopyAsync(process.StandardError, _errors, name + "!", transcript));
    }

    public string Name { get; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output
    {
        get { lock (_lock) return _output.ToString(); }
    }

    public string Errors
    {
        get { lock (_lock) return _errors.ToString(); }
    }

    /// <param name="command">Program and arguments.</param>
    /// <param name="environment">The whole environment: nothing of the test runner's own leaks in.</param>
    public static RunningProcess Start(
        string name, IReadOnlyList<string> command, IEnumerable<KeyValuePair<string, string>> environment, string directory, Transcript transcript)
    {
        ProcessStartInfo start = new(command[0], command.Skip(1))
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach ((string key, string value) in environment) start.Environment[key] = value;
        return new RunningProcess(Process.Start(start)!, name, transcript);
    }

    /// <summary>End of file on its standard input.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Waits for the process, and for all that it had written.</summary>
    /// <returns>The exit code; 128 and the number of the signal when one ended it.</returns>
    public async Task<int> ExitCodeAsync(CancellationToken token)
    {
        await _process.WaitForExitAsync(token).ConfigureAwait(false);
        // A process left behind may hold the pipes open; what has been said until now must do then.
        await Task.WhenAny(_outputEnd, Task.Delay(TimeSpan.FromSeconds(2), token)).ConfigureAwait(false);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private async Task CopyAsync(StreamReader reader, StringBuilder text, string who, Transcript transcript)
    {
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            transcript.Add(who, line);
            lock (_lock) text.Append(line).Append('\n');
        }
    }
}
