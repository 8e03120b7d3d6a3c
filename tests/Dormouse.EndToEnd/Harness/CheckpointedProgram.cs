using System.Globalization;
using System.Text.RegularExpressions;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Harness;

/// <summary>
/// One computation under test, with its own directory, coordinator and port: it is launched, put to sleep, killed and woken.
/// Leaves no process behind, and no file when the test has passed; a test that failed keeps the directory and says how to repeat it.
/// </summary>
internal sealed partial class CheckpointedProgram : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static int s_count;
    private readonly List<RunningProcess> _processes = [];
    private RunningProcess? _coordinator;
    private RunningProcess? _program;
    private int _port;
    private bool _passed;

    private CheckpointedProgram(RunMode mode, IReadOnlyDictionary<string, string> variables)
    {
        Mode = mode;
        DirectoryPath = Path.Combine("/tmp", $"dme2e-{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}");
        Images = Path.Combine(DirectoryPath, "images");
        Work = Path.Combine(DirectoryPath, "work");
        StopFile = Path.Combine(DirectoryPath, "stop");
        Variables = new Dictionary<string, string>
        {
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["LANG"] = "C.UTF-8",
            ["HOME"] = Work,
            ["TMPDIR"] = Path.Combine(DirectoryPath, "tmp"),
            ["DORMOUSE_RUNTIME_DIR"] = Path.Combine(DirectoryPath, "runtime"),
            ["SAMPLE_DIR"] = Work,
            ["SAMPLE_STOP"] = StopFile,
        };
        foreach ((string key, string value) in variables) Variables[key] = value;
    }

    public RunMode Mode { get; }

    /// <summary>All files of this test.</summary>
    public string DirectoryPath { get; }

    /// <summary>Where the coordinator puts images.</summary>
    public string Images { get; }

    /// <summary>Current directory of the program, and SAMPLE_DIR.</summary>
    public string Work { get; }

    /// <summary>When it exists, a sample verifies itself and ends.</summary>
    public string StopFile { get; }

    public Dictionary<string, string> Variables { get; }

    public Transcript Transcript { get; } = new();

    public RunningProcess Program => _program ?? throw new InvalidOperationException("nothing is launched");

    public int CoordinatorPid => _coordinator!.Pid;

    private string Marker => $"SAMPLE_DIR={Work}";

    /// <summary>Starts a coordinator, and the sample under it.</summary>
    public static Task<CheckpointedProgram> LaunchAsync(string sample, CancellationToken token)
        => LaunchAsync(new Sample(sample, sample), RunMode.User, token);

    public static async Task<CheckpointedProgram> LaunchAsync(Sample sample, RunMode mode, CancellationToken token)
    {
        CheckpointedProgram program = await StartCoordinatorAsync(mode, sample.Variables, token).ConfigureAwait(false);
        program._program = program.LaunchAnother(sample.Name, sample.Resolve());
        return program;
    }

    /// <summary>Only the coordinator; programs follow with <see cref="LaunchAnother"/>.</summary>
    public static async Task<CheckpointedProgram> StartCoordinatorAsync(RunMode mode, IReadOnlyDictionary<string, string> variables, CancellationToken token)
    {
        mode.RequirePossible();
        CheckpointedProgram program = new(mode, variables);
        foreach (string directory in new[] { program.DirectoryPath, program.Images, program.Work, program.Variables["TMPDIR"], program.Variables["DORMOUSE_RUNTIME_DIR"] })
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (mode.Owner is { } owner) await program.RunAsync("chown", ["chown", "-R", owner, program.DirectoryPath], token).ConfigureAwait(false);
        await program.StartCoordinatorAsync(0, token).ConfigureAwait(false);
        return program;
    }

    /// <summary>Starts a coordinator on a port (0: any), in place of one that died.</summary>
    public async Task StartCoordinatorAsync(int port, CancellationToken token)
    {
        string portFile = Path.Combine(DirectoryPath, "port");
        File.Delete(portFile);
        _coordinator = Start("coordinator", AsOwner([Built.Tool("dmcoordinator"), "-p", $"{port}", "--port-file", portFile, "--ckptdir", Images]), DirectoryPath);
        await Condition.WaitAsync("the coordinator's port", () =>
        {
            if (_coordinator.HasExited) throw Failure("the coordinator ended");
            return (File.Exists(portFile), "no port file");
        }, Deadline, token).ConfigureAwait(false);
        _port = int.Parse(await File.ReadAllTextAsync(portFile, token).ConfigureAwait(false), CultureInfo.InvariantCulture);
    }

    public Task RestartCoordinatorAsync(CancellationToken token) => StartCoordinatorAsync(_port, token);

    /// <summary>dmlaunch of one more program under the same coordinator.</summary>
    public RunningProcess LaunchAnother(string name, params string[] command)
    {
        RunningProcess process = Start(name, AsOwner([Built.Tool("dmlaunch"), "-j", "-p", $"{_port}", .. command]), Work);
        _program ??= process;
        return process;
    }

    /// <summary>The same by another dmlaunch.</summary>
    public RunningProcess LaunchFrom(string dmlaunch, string name, string[] command)
        => _program = Start(name, AsOwner([dmlaunch, "-j", "-p", $"{_port}", .. command]), Work);

    /// <summary>The same by a shell, which redirects its streams.</summary>
    public RunningProcess LaunchThroughShell(string redirection, string program)
        => _program = Start("sh", AsOwner(["/bin/sh", "-c", $"exec {Built.Tool("dmlaunch")} -j -p {_port} {program} {redirection}"]), Work);

    /// <summary>Waits until the program has printed this.</summary>
    public async Task WaitForOutputAsync(string text, CancellationToken token) => await WaitForOutputAsync(Program, text, token).ConfigureAwait(false);

    public async Task WaitForOutputAsync(RunningProcess process, string text, CancellationToken token)
        => await Condition.WaitAsync($"'{text}' from {process.Name}", () =>
        {
            bool there = process.Output.Contains(text, StringComparison.Ordinal);
            if (!there && process.HasExited) throw Failure($"{process.Name} ended without saying '{text}'");
            return (there, process.Output);
        }, Deadline, token).ConfigureAwait(false);

    /// <summary>Lets the program run for a while.</summary>
    public static Task RunForAsync(TimeSpan time, CancellationToken token) => Task.Delay(time, token);

    /// <summary>Lets it run for a moment that nobody has chosen: up to a fifth of a second. The transcript says how long it was.</summary>
    public Task RunForRandomTimeAsync(CancellationToken token)
    {
        TimeSpan time = TimeSpan.FromMilliseconds(Random.Shared.Next(200));
        Transcript.Add("runs", $"for {time.TotalMilliseconds} ms");
        return RunForAsync(time, token);
    }

    /// <summary>dmcommand --checkpoint; the images are safe when it returns.</summary>
    public async Task<CheckpointReport> CheckpointAsync(CancellationToken token)
    {
        ToolResult result = await TryCommandAsync(token, "--checkpoint", "--json").ConfigureAwait(false);
        return result.ExitCode == 0 ? CheckpointReport.Parse(result.Output) : throw Failure($"dmcommand --checkpoint ended with {result.ExitCode}");
    }

    /// <summary>dmcommand with these arguments, which must succeed.</summary>
    public async Task<ToolResult> CommandAsync(CancellationToken token, params string[] arguments)
    {
        ToolResult result = await TryCommandAsync(token, arguments).ConfigureAwait(false);
        return result.ExitCode == 0 ? result : throw Failure($"dmcommand {string.Join(' ', arguments)} ended with {result.ExitCode}");
    }

    public Task<ToolResult> TryCommandAsync(CancellationToken token, params string[] arguments)
        => RunAsync("dmcommand", AsOwner([Built.Tool("dmcommand"), "-p", $"{_port}", .. arguments]), token);

    /// <summary>Kills all, wakes them from the newest images.</summary>
    public async Task KillAndRestartAsync(CancellationToken token)
    {
        await KillAsync(token).ConfigureAwait(false);
        await RestartAsync(token).ConfigureAwait(false);
    }

    /// <summary>A sample that says "ready" is put to sleep and woken so often, and must end as an undisturbed one does.</summary>
    public static async Task RunCyclesAsync(Sample sample, RunMode mode, int cycles, CancellationToken token)
    {
        await using CheckpointedProgram program = await LaunchAsync(sample, mode, token).ConfigureAwait(false);
        await program.WaitForOutputAsync("ready", token).ConfigureAwait(false);
        for (int cycle = 0; cycle < cycles; cycle++)
        {
            await program.CheckpointAsync(token).ConfigureAwait(false);
            await program.KillAndRestartAsync(token).ConfigureAwait(false);
        }

        await program.AssertContentAsync(sample, token).ConfigureAwait(false);
    }

    /// <summary>Starts dmcommand and does not wait for it.</summary>
    public RunningProcess StartCommand(params string[] arguments)
        => Start("dmcommand", AsOwner([Built.Tool("dmcommand"), "-p", $"{_port}", .. arguments]), DirectoryPath);

    /// <summary>Waits until no checkpoint is under way.</summary>
    public Task WaitUntilRunningAsync(CancellationToken token) => WaitForStatusAsync("no checkpoint to be under way", status => status.Running, token);

    /// <summary>SIGKILL to every process of the computation, found by itself and not by the coordinator's word.</summary>
    public async Task KillAsync(CancellationToken token)
    {
        Transcript.Add("kill", string.Join(' ', MemberPids()));
        await ComputationProcesses.KillAllAsync(Marker, pid => pid == _coordinator!.Pid, token).ConfigureAwait(false);
        if (_program is not null) await _program.ExitCodeAsync(token).ConfigureAwait(false);
        await WaitForMembersAsync(seen => seen == 0, "the coordinator to see that all are gone", token).ConfigureAwait(false);
    }

    /// <summary>PIDs on this host of all that belongs to the computation (and, in a pod, of the pod's own process).</summary>
    public List<int> MemberPids() => ComputationProcesses.With(Marker).FindAll(pid => pid != _coordinator!.Pid);

    /// <summary>Wakes the newest images and waits until all processes run.</summary>
    public Task RestartAsync(CancellationToken token)
        => RestartAsync(Directory.GetFiles(Images, "ckpt_*.img"), Path.GetDirectoryName(Images)!, token);

    /// <param name="images">The images, in any order.</param>
    /// <param name="directory">Current directory of dmrestart.</param>
    public async Task RestartAsync(IReadOnlyList<string> images, string directory, CancellationToken token)
    {
        _program = StartRestart(images, directory);
        // All run when the restart is over; the short-lived ones may have ended by then.
        await WaitForStatusAsync($"{images.Count} processes that run again", status =>
            _program.HasExited ? throw Failure($"dmrestart ended: {_program.Errors}") : status.Running && status.Members > 0, token).ConfigureAwait(false);
    }

    /// <summary>Starts dmrestart and does not wait for anything.</summary>
    public RunningProcess StartRestart(IReadOnlyList<string> images, string directory, params string[] options)
        => Start("dmrestart", AsOwner([Built.Tool("dmrestart"), "-j", "-p", $"{_port}", .. Mode.Pod ? Array.Empty<string>() : ["--no-pod"], .. options, .. images]), directory);

    /// <summary>Wakes the newest images from a shell.</summary>
    /// <param name="script">Says $RESTART for dmrestart with what it needs.</param>
    public async Task RestartThroughShellAsync(string script, CancellationToken token)
    {
        string restart = $"{Built.Tool("dmrestart")} -j -p {_port} {(Mode.Pod ? "" : "--no-pod")} {Images}";
        _program = Start("sh", AsOwner(["/bin/sh", "-c", script.Replace("$RESTART", restart, StringComparison.Ordinal)]), Work);
        await WaitForStatusAsync("processes that run again", status =>
            _program.HasExited ? throw Failure($"the script ended: {_program.Errors}") : status.Running && status.Members > 0, token).ConfigureAwait(false);
    }

    /// <summary>Waits until as many processes belong to the computation as are wanted.</summary>
    public Task WaitForMembersAsync(Func<int, bool> enough, string description, CancellationToken token)
        => WaitForStatusAsync(description, status => enough(status.Members), token);

    private async Task WaitForStatusAsync(string description, Func<(int Members, bool Running), bool> isSo, CancellationToken token)
        => await Condition.WaitAsync(description, async () =>
        {
            ToolResult result = await RunAsync("status", AsOwner([Built.Tool("dmcommand"), "-p", $"{_port}", "--status"]), token, quiet: true).ConfigureAwait(false);
            Match status = StatusLines().Match(result.Output);
            bool done = status.Success && isSo((int.Parse(status.Groups[1].ValueSpan, CultureInfo.InvariantCulture), status.Groups[2].Value == "yes"));
            return (done, result.Output.ReplaceLineEndings(" ") + result.Errors);
        }, Deadline, token).ConfigureAwait(false);

    /// <summary>Tells the sample to verify itself, and waits for its end.</summary>
    public async Task<int> ExitCodeAsync(CancellationToken token)
    {
        await File.WriteAllTextAsync(StopFile, "", token).ConfigureAwait(false);
        try
        {
            return await Program.ExitCodeAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw Failure($"{Program.Name} does not end; it has the processes {string.Join(' ', MemberPids())}");
        }
    }

    /// <summary>Ends the sample and wants it to be content, with the result that an undisturbed run has. The last statement of a test.</summary>
    public async Task AssertContentAsync(Sample sample, CancellationToken token)
    {
        int exitCode = await ExitCodeAsync(token).ConfigureAwait(false);
        if (exitCode != 0) throw Failure($"{sample.Name} ended with {exitCode}");
        if (Program.Errors.Contains("could not be set again", StringComparison.Ordinal)) throw Failure("an option of a socket is not what it was");
        if (sample.HasChecksum)
        {
            (string checksum, string steps) = Result();
            string expected = await UndisturbedChecksumAsync(sample, steps, token).ConfigureAwait(false);
            if (checksum != expected) throw Failure($"after {steps} steps the checksum is {checksum}; undisturbed it is {expected}");
        }

        Passed();
    }

    /// <summary>"checksum X steps N" of the program's last line.</summary>
    public (string Checksum, string Steps) Result()
    {
        Match match = LastLine().Match(Program.Output);
        if (!match.Success) throw Failure("the program printed no checksum");
        return (match.Groups[1].Value, match.Groups[2].Value);
    }

    /// <summary>The checksum of the same program when it runs for so many steps without us.</summary>
    public async Task<string> UndisturbedChecksumAsync(Sample sample, string steps, CancellationToken token)
    {
        Dictionary<string, string> variables = new(Variables) { ["SAMPLE_STEPS"] = steps };
        variables.Remove("SAMPLE_STOP");
        using RunningProcess process = RunningProcess.Start("undisturbed", AsOwner(sample.Resolve()), variables, Work, Transcript);
        int exitCode = await process.ExitCodeAsync(token).ConfigureAwait(false);
        Match match = LastLine().Match(process.Output);
        return exitCode == 0 && match.Success ? match.Groups[1].Value : throw Failure($"the undisturbed run ended with {exitCode}");
    }

    /// <summary>Runs a command to its end.</summary>
    /// <param name="quiet">Leaves it out of the transcript: it is asked again and again.</param>
    public async Task<ToolResult> RunAsync(string name, IReadOnlyList<string> command, CancellationToken token, bool quiet = false)
    {
        using RunningProcess process = quiet
            ? RunningProcess.Start(name, command, Variables, DirectoryPath, new Transcript())
            : Start(name, command, DirectoryPath);
        try
        {
            int exitCode = await process.ExitCodeAsync(token).ConfigureAwait(false);
            return new ToolResult(exitCode, process.Output, process.Errors);
        }
        catch (OperationCanceledException)
        {
            throw Failure($"'{string.Join(' ', command)}' does not end");
        }
    }

    public AssertionException Failure(string what) => new($"{what}\n{Transcript}");

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource deadline = new(Deadline);
        await ComputationProcesses.KillAllAsync(Marker, _ => false, deadline.Token).ConfigureAwait(false);
        foreach (RunningProcess process in _processes) process.Dispose();
        if (_passed) Directory.Delete(DirectoryPath, recursive: true);
        else await KeepAsync(deadline.Token).ConfigureAwait(false);
    }

    /// <summary>The last statement of a test that passed: its files may go.</summary>
    public void Passed() => _passed = true;

    private async Task KeepAsync(CancellationToken token)
    {
        string script = Path.Combine(DirectoryPath, "repeat.sh");
        string variables = string.Join(' ', Variables.Select(pair => $"{pair.Key}={pair.Value}"));
        await File.WriteAllTextAsync(script, $"# in {DirectoryPath}\nrm -f {StopFile}\nexport {variables}\n{Transcript.Commands}\n", token).ConfigureAwait(false);
        await TestContext.Out.WriteLineAsync($"The files are kept. What was run is in {script}:\n{Transcript.Commands}").ConfigureAwait(false);
    }

    private string[] AsOwner(string[] command) => [.. Mode.Prefix, .. command];

    private RunningProcess Start(string name, IReadOnlyList<string> command, string directory)
    {
        Transcript.AddCommand(string.Join(' ', command));
        RunningProcess process = RunningProcess.Start(name, command, Variables, directory, Transcript);
        lock (_processes) _processes.Add(process);
        return process;
    }

    [GeneratedRegex("^ok checksum ([0-9a-f]{16}) steps ([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex LastLine();

    [GeneratedRegex("^NUM_PEERS=([0-9]+)\nRUNNING=(yes|no)$", RegexOptions.Multiline)]
    private static partial Regex StatusLines();
}

/// <summary>How a tool ended and what it said.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Errors);
