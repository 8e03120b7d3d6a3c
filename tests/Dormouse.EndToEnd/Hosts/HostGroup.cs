using System.Text.RegularExpressions;
using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>
/// Several hosts, as tests/hosts/hosts.sh makes them of this machine: namespaces with their own addresses, PIDs, /tmp, /dev/shm,
/// host name and sshd. They end with the test, whatever happens to it. Root only.
/// </summary>
internal sealed partial class HostGroup : IAsyncDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);
    /// <summary>Open MPI drops connections that it has made twice: the kernel keeps the ports of their listeners for a minute.</summary>
    private static readonly TimeSpan s_portDeadline = TimeSpan.FromSeconds(100);

    private static readonly string s_script = Path.Combine(Built.Root, "tests", "hosts", "hosts.sh");
    private static int s_count;

    private readonly List<RunningProcess> _processes = [];
    private readonly string[] _names;
    private RunningProcess? _server;
    private bool _passed;

    private HostGroup(string[] names)
    {
        _names = names;
        DirectoryPath = $"/tmp/dmhosts-{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";
        Variables = new Dictionary<string, string>
        {
            ["PATH"] = $"{Path.Combine(Built.Build, "bin")}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            ["LANG"] = "C.UTF-8",
        };
    }

    /// <summary>Everything of this group; seen by all hosts under this name.</summary>
    public string DirectoryPath { get; }

    /// <summary>A directory that all hosts see and the ordinary user can write.</summary>
    public string Shared => Path.Combine(DirectoryPath, "shared");

    /// <summary>Environment of what is run on a host; dmlaunch and its sisters are in PATH there, as they are on all hosts.</summary>
    public Dictionary<string, string> Variables { get; }

    public Transcript Transcript { get; } = new();

    /// <summary>Sets up hosts of these names, reached by each other under them; "x~r" is host x behind router r, which translates addresses. Leaves the test out where that cannot be.</summary>
    public static async Task<HostGroup> StartAsync(CancellationToken token, params string[] names)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("needs root: it makes network namespaces");
        if (!File.Exists("/usr/sbin/sshd")) Assert.Ignore("needs sshd (openssh-server)");
        if (Array.Exists(names, name => name.Contains('~', StringComparison.Ordinal)) && !File.Exists("/usr/sbin/nft")) Assert.Ignore("needs nft (nftables)");
        HostGroup group = new([.. names.Select(name => name.Split('~')[0])]);
        Directory.CreateDirectory(group.DirectoryPath);
        group._server = group.Start("hosts", s_script, ["serve", group.DirectoryPath, .. names], "/");
        try
        {
            await Condition.WaitAsync("the hosts", () =>
            {
                if (group._server.HasExited) throw group.Failure("hosts.sh ended");
                return (group._server.Output.Contains("ready", StringComparison.Ordinal), group._server.Errors);
            }, s_deadline, token).ConfigureAwait(false);
        }
        catch
        {
            await group.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return group;
    }

    public IReadOnlyList<string> Names => _names;

    /// <summary>The address of a host on the network that all share.</summary>
    public string AddressOf(string host)
        => File.ReadLines(Path.Combine(DirectoryPath, "table")).Select(line => line.Split(' ')).Single(fields => fields[0] == host)[1];

    /// <summary>The nft command on a router.</summary>
    public async Task FilterAsync(string router, string command, CancellationToken token)
    {
        using RunningProcess nft = Start($"nft on {router}", s_script, ["router", DirectoryPath, router, "nft", .. command.Split(' ')], "/");
        if (await nft.ExitCodeAsync(token).ConfigureAwait(false) != 0) throw Failure("nft failed");
    }

    /// <summary>A host's /tmp, as it is seen from outside.</summary>
    public string TemporaryDirectoryOf(string host) => Path.Combine(DirectoryPath, "hosts", host, "tmp");

    /// <summary>Starts a command on a host, in <see cref="Shared"/>.</summary>
    /// <param name="user">"mouse", an ordinary user, or "root".</param>
    public RunningProcess StartOn(string host, string user, params string[] command)
        => Start(host, s_script, ["run", DirectoryPath, host, user, .. command], Shared);

    /// <summary>Runs a command on a host to its end.</summary>
    public async Task<ToolResult> RunOnAsync(CancellationToken token, string host, string user, params string[] command)
    {
        RunningProcess process = StartOn(host, user, command);
        try
        {
            int exitCode = await process.ExitCodeAsync(token).ConfigureAwait(false);
            return new ToolResult(exitCode, process.Output, process.Errors);
        }
        catch (OperationCanceledException)
        {
            throw Failure($"'{string.Join(' ', command)}' on {host} does not end");
        }
    }

    /// <summary>SIGKILL to everything on a host but the host itself: its sshd stays.</summary>
    public async Task KillAllOnAsync(CancellationToken token, string host)
    {
        await RunOnAsync(token, host, "root", "sh", "-c",
            "for stat in /proc/[0-9]*; do pid=${stat#/proc/}; case $(tr '\\0' ' ' 2>/dev/null < $stat/cmdline) in *hosts.sh*init*|'sshd: '*listener*|'sleep infinity '|'') ;; *) [ $pid = $$ ] || kill -9 $pid 2>/dev/null;; esac; done; true")
            .ConfigureAwait(false);
    }

    /// <summary>A host loses power: nothing of it runs any more, and its addresses answer to nobody.</summary>
    public Task PowerOffAsync(string host, CancellationToken token)
        => Start($"end {host}", s_script, ["end", DirectoryPath, host], "/").ExitCodeAsync(token);

    /// <summary>Waits until the coordinator on a host says that all that <paramref name="restart"/> has woken runs.</summary>
    public async Task WaitUntilRunningAsync(string host, string user, string port, RunningProcess restart, CancellationToken token)
        => await Condition.WaitAsync("the job to run again", async () =>
        {
            if (restart.HasExited) throw Failure("dmrestart ended");
            ToolResult status = await RunOnAsync(token, host, user, "dmcommand", "-p", port, "--status").ConfigureAwait(false);
            return (RunningAgain().IsMatch(status.Output), status.Output + status.Errors);
        }, s_portDeadline, token).ConfigureAwait(false);

    /// <summary>SIGKILL to everything that runs on any of them.</summary>
    public async Task KillAllAsync(CancellationToken token)
    {
        foreach (string host in _names) await KillAllOnAsync(token, host).ConfigureAwait(false);
    }

    /// <summary>dmcommand --checkpoint on a host, which must succeed.</summary>
    public async Task CheckpointAsync(string host, string user, string port, CancellationToken token)
    {
        ToolResult checkpoint = await RunOnAsync(token, host, user, "dmcommand", "-p", port, "--checkpoint").ConfigureAwait(false);
        if (checkpoint.ExitCode != 0) throw Failure($"the checkpoint ended with {checkpoint.ExitCode}");
    }

    public AssertionException Failure(string what) => new($"{what}\n{Transcript}");

    /// <summary>The last statement of a test that passed: its files may go.</summary>
    public void Passed() => _passed = true;

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource deadline = new(s_deadline);
        if (_server is not null)
        {
            _server.CloseInput();
            await _server.ExitCodeAsync(deadline.Token).ConfigureAwait(false);
        }

        foreach (RunningProcess process in _processes) process.Dispose();
        if (_passed) Directory.Delete(DirectoryPath, recursive: true);
        else await TestContext.Out.WriteLineAsync($"The files are kept in {DirectoryPath}. What was run:\n{Transcript.Commands}").ConfigureAwait(false);
    }

    private RunningProcess Start(string name, string program, string[] arguments, string directory)
    {
        Transcript.AddCommand($"{program} {string.Join(' ', arguments)}");
        RunningProcess process = RunningProcess.Start(name, [program, .. arguments], Variables, directory, Transcript);
        lock (_processes) _processes.Add(process);
        return process;
    }

    [GeneratedRegex("^NUM_PEERS=[1-9][0-9]*\nRUNNING=yes$", RegexOptions.Multiline)]
    private static partial Regex RunningAgain();
}
