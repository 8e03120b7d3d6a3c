using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>
/// translated.py on two hosts, a dmlaunch of its own for each end, with address translation between them; the coordinator is on host a. Beside
/// them, on the same hosts, connections that look the same and lead out of the computation.
/// </summary>
internal sealed class TranslatedTalkers
{
    private const string Port = "7801", OutsidePort = "7000";
    private static readonly string s_script = Path.Combine(Built.Root, "tests", "Dormouse.EndToEnd", "Hosts", "translated.py");
    private readonly HostGroup _hosts;
    private readonly string _user, _images, _stop;
    private readonly Dictionary<string, RunningProcess> _restarts = [];

    private TranslatedTalkers(HostGroup hosts, string user)
    {
        (_hosts, _user) = (hosts, user);
        (_images, _stop) = (Path.Combine(hosts.Shared, "images"), Path.Combine(hosts.Shared, "stop"));
        hosts.Variables["SAMPLE_STOP"] = _stop;
        hosts.Variables["DORMOUSE_TOKEN"] = new string('7', 64);
    }

    /// <param name="server">The host of the server, and of its connection to the outside.</param>
    /// <param name="client">The host of the client.</param>
    /// <param name="address">Under which it finds the server.</param>
    /// <param name="port">There.</param>
    /// <param name="stranger">A host that reaches the server in the same way.</param>
    /// <param name="outside">A host on which something listens that is not part of the computation.</param>
    public static async Task<TranslatedTalkers> LaunchAsync(
        HostGroup hosts, string user, string server, string client, string address, string port, string stranger, string outside, CancellationToken token)
    {
        TranslatedTalkers talkers = new(hosts, user);
        await talkers.StartCoordinatorAsync(token);
        RunningProcess listener = hosts.StartOn(outside, user, "python3", "-c", $"import socket, time\none = socket.create_server((\"\", {OutsidePort}))\nprint(\"ready\", flush=True)\nkept = one.accept()\ntime.sleep(1000)");
        await Condition.WaitAsync("the outside", () => (listener.Output.Contains("ready", StringComparison.Ordinal), listener.Errors), CheckpointedProgram.Deadline, token);
        talkers.Launch(server, "server", "5555");
        await talkers.WaitForLineAsync("listening", "server", token);
        talkers.Launch(client, "client", address, port, hosts.AddressOf(outside), OutsidePort);
        await talkers.WaitForLineAsync("connected", "server", token);
        hosts.StartOn(stranger, user, "python3", "-c", $"import socket, time\nkept = socket.create_connection((\"{address}\", {port}))\ntime.sleep(1000)");
        foreach (string role in (string[])["server", "client"]) await talkers.WaitForLineAsync("ready", role, token);
        return talkers;
    }

    /// <summary>A checkpoint that must find both ends of all connections but those to the outside.</summary>
    /// <param name="outside">How many those are.</param>
    public async Task<string> CheckpointAsync(int outside, CancellationToken token)
    {
        ToolResult checkpoint = await _hosts.RunOnAsync(token, "a", _user, "dmcommand", "-p", Port, "--checkpoint");
        string said = checkpoint.Output + checkpoint.Errors;
        if (checkpoint.ExitCode != 0) throw _hosts.Failure($"the checkpoint ended with {checkpoint.ExitCode}");
        Assert.That(said.Split("is outside the computation").Length - 1, Is.EqualTo(outside), _hosts.Transcript.ToString());
        return said;
    }

    /// <summary>They are killed, with their coordinator, and wake: what began on the server's host there, and the client there.</summary>
    public async Task WakeAsync(string server, string client, CancellationToken token)
    {
        await KillAsync(token);
        await StartCoordinatorAsync(token);
        _restarts["client"] = Restart(client, 2);
        _restarts["server"] = Restart(server, 1);
        await RunsAgainAsync(_restarts["server"], token);
    }

    /// <summary>The same, by a single dmrestart.</summary>
    public async Task WakeOnHostsAsync(string hosts, CancellationToken token)
    {
        await KillAsync(token);
        _restarts["client"] = _restarts["server"] = _hosts.StartOn("a", _user, "dmrestart", "--new-coordinator", "-p", Port, "--hosts", hosts, _images);
        await RunsAgainAsync(_restarts["server"], token);
    }

    /// <summary>All that was written comes out.</summary>
    /// <param name="outside">What has become of the connections to the outside.</param>
    public async Task EndAsync(string outside, CancellationToken token)
    {
        await File.WriteAllTextAsync(_stop + ".new", outside, token);
        File.Move(_stop + ".new", _stop);
        foreach (string role in (string[])["server", "client"])
        {
            await WaitForLineAsync("content", role, token);
            if (_restarts.TryGetValue(role, out RunningProcess? restart) && await restart.ExitCodeAsync(token) is not 0 and int exitCode) throw _hosts.Failure($"dmrestart ended with {exitCode}");
        }
    }

    /// <param name="member">They have joined in this order: 1 the server, 2 the client.</param>
    private RunningProcess Restart(string host, int member)
        => _hosts.StartOn(host, _user, "dmrestart", "-h", _hosts.AddressOf("a"), "-p", Port, "--part", Directory.GetFiles(_images, $"ckpt_python3_*-{member}.img").Single());

    private async Task RunsAgainAsync(RunningProcess restart, CancellationToken token)
        => await _hosts.WaitUntilRunningAsync("a", _user, Port, restart, token);

    private async Task KillAsync(CancellationToken token)
    {
        await _hosts.RunOnAsync(token, "a", _user, "dmcommand", "-p", Port, "--quit");
        foreach (RunningProcess restart in _restarts.Values) await restart.ExitCodeAsync(token);
        _restarts.Clear();
    }

    private async Task StartCoordinatorAsync(CancellationToken token)
    {
        ToolResult coordinator = await _hosts.RunOnAsync(token, "a", _user, "dmcoordinator", "--daemon", "-q", "--bind", "0.0.0.0", "-p", Port, "--ckptdir", _images);
        if (coordinator.ExitCode != 0) throw _hosts.Failure($"dmcoordinator ended with {coordinator.ExitCode}");
    }

    private void Launch(string host, string role, params string[] arguments)
        => _hosts.StartOn(host, _user, "sh", "-c", $"exec dmlaunch -j -h {_hosts.AddressOf("a")} -p {Port} python3 {s_script} {role} {string.Join(' ', arguments)} > {OutputOf(role)} 2>&1");

    private string OutputOf(string role) => Path.Combine(_hosts.Shared, $"{role}.txt");

    private async Task WaitForLineAsync(string line, string role, CancellationToken token)
        => await Condition.WaitAsync($"\"{line}\" of the {role}", () =>
        {
            if (_restarts.TryGetValue(role, out RunningProcess? restart) && restart.HasExited && line != "content") throw _hosts.Failure("dmrestart ended");
            string text = File.Exists(OutputOf(role)) ? File.ReadAllText(OutputOf(role)) : "";
            return (text.Contains(line + "\n", StringComparison.Ordinal), text);
        }, CheckpointedProgram.Deadline, token);
}
