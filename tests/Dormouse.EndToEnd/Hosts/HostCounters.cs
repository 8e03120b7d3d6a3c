using System.Globalization;
using System.Text;
using Dormouse.EndToEnd.Harness;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>
/// The sample "counter" on each of some hosts, by a dmlaunch of its own, all under one coordinator: a computation on several hosts
/// whose processes have no connection to each other. The outputs are files that all hosts see.
/// </summary>
internal sealed class HostCounters
{
    private const string Port = "7801";
    private readonly HostGroup _hosts;
    private readonly string[] _names;

    private HostCounters(HostGroup hosts, string[] names, string images)
    {
        _hosts = hosts;
        _names = names;
        Images = images;
        Stop = Path.Combine(hosts.Shared, "stop");
        hosts.Variables["SAMPLE_STOP"] = Stop;
        hosts.Variables["DORMOUSE_TOKEN"] = new string('7', 64);
    }

    /// <summary>Where images go; on each host when they do not share it.</summary>
    public string Images { get; }

    /// <summary>When this file exists, the counters end.</summary>
    public string Stop { get; }

    /// <summary>Options for commands that talk to the coordinator, which is on this host.</summary>
    public static string[] CoordinatorOn(string host) => ["-h", host, "-p", Port];

    /// <param name="names">Where the counters run; the coordinator is on the first of these hosts.</param>
    /// <param name="images">Directory of the images; null: one that all hosts see.</param>
    public static async Task<HostCounters> LaunchAsync(HostGroup hosts, string[] names, string? images, CancellationToken token)
    {
        HostCounters counters = new(hosts, names, images ?? Path.Combine(hosts.Shared, "images"));
        await counters.StartCoordinatorAsync(names[0], token);
        foreach (string name in names)
        {
            hosts.StartOn(name, "mouse", "sh", "-c", $"exec dmlaunch -j {string.Join(' ', CoordinatorOn(names[0]))} {Built.Sample("counter")} > {counters.OutputOf(name)}");
            await counters.WaitForMoreAsync(name, 0, token);
            await counters.WaitForMemberAsync(name, token);
        }

        return counters;
    }

    // In the order of the names, since the members are numbered as they join.
    private Task WaitForMemberAsync(string name, CancellationToken token) => Condition.WaitAsync(
        $"a member on {name}",
        async () =>
        {
            string places = await PlacesAsync(_names[0], token);
            return (places.Split(", ").Contains($"{name} 1"), places);
        },
        CheckpointedProgram.Deadline,
        token);

    public async Task StartCoordinatorAsync(string host, CancellationToken token)
    {
        ToolResult coordinator = await _hosts.RunOnAsync(token, host, "mouse", "dmcoordinator", "--daemon", "-q", "--bind", "0.0.0.0", "-p", Port, "--ckptdir", Images);
        if (coordinator.ExitCode != 0) throw _hosts.Failure($"dmcoordinator ended with {coordinator.ExitCode}");
    }

    /// <summary>dmcommand --checkpoint, and all of it is killed.</summary>
    /// <param name="coordinator">The host of the coordinator.</param>
    public async Task CheckpointAndKillAsync(string coordinator, CancellationToken token)
    {
        await CheckpointAsync(coordinator, token);
        await KillAsync(token);
    }

    /// <summary>Waits until all have counted on.</summary>
    public async Task CountOnAsync(CancellationToken token)
    {
        foreach (string name in _names) await WaitForMoreAsync(name, LinesOf(name), token);
    }

    public async Task KillAsync(CancellationToken token)
    {
        await _hosts.KillAllAsync(token);
    }

    public async Task CheckpointAsync(string coordinator, CancellationToken token)
    {
        ToolResult checkpoint = await _hosts.RunOnAsync(token, coordinator, "mouse", ["dmcommand", .. CoordinatorOn(coordinator), "--checkpoint"]);
        if (checkpoint.ExitCode != 0) throw _hosts.Failure($"the checkpoint ended with {checkpoint.ExitCode}");
    }

    /// <summary>Starts dmrestart on a host with a coordinator of its own there, and waits until all counters count again.</summary>
    public async Task<RunningProcess> WakeAsync(string front, CancellationToken token, params string[] arguments)
    {
        // What has been printed after the checkpoint is taken back: a number higher than all of it has been counted anew.
        Dictionary<string, int> before = _names.ToDictionary(name => name, LinesOf);
        RunningProcess restart = _hosts.StartOn(front, "mouse", ["dmrestart", "--new-coordinator", "-p", Port, .. arguments]);
        foreach (string name in _names) await WaitForMoreAsync(name, before[name], token, restart);
        return restart;
    }

    /// <summary>How many members there are on each host, as the coordinator on this host says: "c 1, d 2".</summary>
    public async Task<string> PlacesAsync(string coordinator, CancellationToken token)
    {
        ToolResult list = await _hosts.RunOnAsync(token, coordinator, "mouse", ["dmcommand", .. CoordinatorOn(coordinator), "--list"]);
        return string.Join(", ", list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]).GroupBy(host => host).OrderBy(host => host.Key, StringComparer.Ordinal)
            .Select(host => string.Create(CultureInfo.InvariantCulture, $"{host.Key} {host.Count()}")));
    }

    /// <summary>Ends them; every line must be there, once.</summary>
    public async Task AssertContentAsync(RunningProcess restart, CancellationToken token)
    {
        await File.WriteAllTextAsync(Stop, "", token);
        int exitCode = await restart.ExitCodeAsync(token);
        if (exitCode != 0) throw _hosts.Failure($"dmrestart ended with {exitCode}");
        foreach (string name in _names)
        {
            await Condition.WaitAsync($"the end of the counter of {name}", () => (Text(name).Contains("ok checksum", StringComparison.Ordinal), Text(name)), CheckpointedProgram.Deadline, token);
            int lines = LinesOf(name) - 1;
            StringBuilder expected = new();
            for (int line = 0; line < lines; line++) expected.Append(CultureInfo.InvariantCulture, $"line {line}\n");
            expected.Append(CultureInfo.InvariantCulture, $"ok checksum 0000000000000000 steps {lines}\n");
            if (Text(name) != expected.ToString()) throw _hosts.Failure($"the counter of {name} has not printed each line once: {Text(name)}");
        }
    }

    /// <summary>What a host's counter has printed.</summary>
    public string Text(string name) => File.Exists(OutputOf(name)) ? File.ReadAllText(OutputOf(name)) : "";

    private string OutputOf(string name) => Path.Combine(_hosts.Shared, $"count-{name}.txt");

    private int LinesOf(string name) => Text(name).Count(character => character == '\n');

    private async Task WaitForMoreAsync(string name, int lines, CancellationToken token, RunningProcess? restart = null)
    {
        await Condition.WaitAsync($"the counter of {name}", () =>
        {
            if (restart?.HasExited == true) throw _hosts.Failure("dmrestart ended");
            return (LinesOf(name) > lines, Text(name));
        }, CheckpointedProgram.Deadline, token);
    }
}
