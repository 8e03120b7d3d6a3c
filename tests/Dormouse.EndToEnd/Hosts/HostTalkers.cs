using Dormouse.EndToEnd.Harness;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>The sample "old-addresses" on hosts a and b, by a dmlaunch of its own on each, under one coordinator on a: they talk to each other,
/// over new connections, when they are told to.</summary>
internal sealed class HostTalkers
{
    private const string Port = "7801";
    private static readonly string[] s_names = ["a", "b"];
    private readonly HostGroup _hosts;
    private readonly string _user, _images;
    private string _front = "a";
    private (string A, string B) _places = ("a", "b"); // where they live: dmrestart knows them by these names
    private int _round;
    private RunningProcess? _restart;

    private HostTalkers(HostGroup hosts, string user)
    {
        (_hosts, _user, _images) = (hosts, user, Path.Combine(hosts.Shared, "images"));
        hosts.Variables["SAMPLE_STOP"] = Stop;
        hosts.Variables["DORMOUSE_TOKEN"] = new string('7', 64);
    }

    private string Stop => Path.Combine(_hosts.Shared, "stop");

    public static async Task<HostTalkers> LaunchAsync(HostGroup hosts, string user, CancellationToken token)
    {
        HostTalkers talkers = new(hosts, user);
        ToolResult coordinator = await hosts.RunOnAsync(token, "a", user, "dmcoordinator", "--daemon", "-q", "--bind", "0.0.0.0", "-p", Port, "--ckptdir", talkers._images);
        if (coordinator.ExitCode != 0) throw hosts.Failure($"dmcoordinator ended with {coordinator.ExitCode}");
        foreach ((string name, string peer) in new[] { ("a", "b"), ("b", "a") })
        {
            hosts.StartOn(name, user, "sh", "-c", $"exec dmlaunch -j -h a -p {Port} {Built.Sample("old-addresses")} {peer} {hosts.Shared} > {talkers.OutputOf(name)} 2>&1");
            await talkers.WaitForLineAsync("ready", name, token);
        }

        return talkers;
    }

    /// <summary>Both do all that they can with the addresses that they know.</summary>
    public async Task TalkAsync(CancellationToken token)
    {
        _round++;
        await File.WriteAllTextAsync(Path.Combine(_hosts.Shared, $"round-{_round}"), "", token);
        foreach (string name in s_names) await WaitForLineAsync($"round {_round}", name, token);
    }

    /// <summary>What dmrestart has said.</summary>
    public string Said => _restart?.Errors ?? "";

    public async Task MoveAsync(string first, string second, CancellationToken token)
    {
        await SleepAsync(token);
        await WakeAsync(first, second, token);
    }

    /// <summary>They are put to sleep, and killed.</summary>
    public async Task SleepAsync(CancellationToken token)
    {
        await _hosts.CheckpointAsync(_front, _user, Port, token);
        await _hosts.KillAllAsync(token);
    }

    /// <summary>They wake: what began on a on the first place, what began on b on the second.</summary>
    public async Task WakeAsync(string first, string second, CancellationToken token)
    {
        string[] where = first == second || _places.A == _places.B ? ["--hosts", string.Join(',', new[] { first, second }.Distinct())] : ["--host-map", $"{_places.A}={first},{_places.B}={second}"];
        (_places, _front) = ((first, second), first);
        _restart = _hosts.StartOn(_front, _user, ["dmrestart", "--new-coordinator", "-p", Port, .. where, _images]);
        await _hosts.WaitUntilRunningAsync(_front, _user, Port, _restart, token);
    }

    public async Task EndAsync(CancellationToken token)
    {
        await File.WriteAllTextAsync(Stop, "", token);
        foreach (string name in s_names) await WaitForLineAsync("content", name, token);
        int exitCode = await _restart!.ExitCodeAsync(token);
        if (exitCode != 0) throw _hosts.Failure($"dmrestart ended with {exitCode}");
    }

    private string OutputOf(string name) => Path.Combine(_hosts.Shared, $"talk-{name}.txt");

    private async Task WaitForLineAsync(string line, string name, CancellationToken token)
        => await Condition.WaitAsync($"\"{line}\" of {name}", () =>
        {
            if (_restart?.HasExited == true && line != "content") throw _hosts.Failure($"dmrestart ended: {Text(name)}");
            string text = Text(name);
            return (text.Contains(line + "\n", StringComparison.Ordinal), text);
        }, CheckpointedProgram.Deadline, token);

    private string Text(string name) => File.Exists(OutputOf(name)) ? File.ReadAllText(OutputOf(name)) : "";
}
