using System.Globalization;
using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>A coordinator that died comes back under the same port, whatever the kernel does with the port in the meantime.</summary>
internal sealed class CoordinatorPortTests
{
    private const string Port = "40000";

    /// <summary>When nobody listens, a connection to a port that the kernel gives to connections can meet itself, and would keep it.</summary>
    [Test, CancelAfter(60_000)]
    public async Task MembersThatLookForTheCoordinator_DoNotTakeItsPort(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a");
        RunningProcess coordinator = hosts.StartOn("a", "mouse", "dmcoordinator", "-p", Port, "--ckptdir", hosts.Shared);
        await Condition.WaitAsync("the coordinator", () => (coordinator.Output.Contains("listens", StringComparison.Ordinal), coordinator.Errors), CheckpointedProgram.Deadline, token);
        RunningProcess program = hosts.StartOn("a", "mouse", "dmlaunch", "-j", "-p", Port, "sh", "-c", "echo ready; sleep 1000");
        await Condition.WaitAsync("ready", () => (program.Output.Contains("ready", StringComparison.Ordinal), program.Errors), CheckpointedProgram.Deadline, token);

        // Nothing is left of the old connections, and there is but one port for new ones.
        await hosts.RunOnAsync(token, "a", "root", "sh", "-c", $"sysctl -qw net.ipv4.tcp_max_tw_buckets=0 net.ipv4.ip_local_port_range='{Port} {Port}'; pkill -9 -x dmcoordinator");
        int before = await AttemptsAsync(hosts, token);
        await Condition.WaitAsync("three attempts to connect", async () => (await AttemptsAsync(hosts, token) >= before + 3, program.Errors), CheckpointedProgram.Deadline, token);
        hosts.StartOn("a", "mouse", "sh", "-c", $"for i in 1 2 3; do dmcoordinator -p {Port} --ckptdir {hosts.Shared}; sleep 0.1; done");
        await Condition.WaitAsync("a coordinator", async () => ((await hosts.RunOnAsync(token, "a", "root", "pgrep", "-x", "dmcoordinator")).ExitCode == 0, program.Errors), CheckpointedProgram.Deadline, token);
        await hosts.RunOnAsync(token, "a", "root", "sysctl", "-qw", "net.ipv4.ip_local_port_range=32768 60999");

        await Condition.WaitAsync("the members", async () =>
        {
            ToolResult status = await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--status");
            return (status.Output.Contains("NUM_PEERS=2\n", StringComparison.Ordinal), status.Output + status.Errors);
        }, CheckpointedProgram.Deadline, token);
        hosts.Passed();
    }

    /// <summary>Tcp ActiveOpens of proc_net_snmp: connections that somebody on this host has begun to make.</summary>
    private static async Task<int> AttemptsAsync(HostGroup hosts, CancellationToken token)
    {
        ToolResult counters = await hosts.RunOnAsync(token, "a", "root", "grep", "^Tcp: [0-9]", "/proc/net/snmp");
        return int.Parse(counters.Output.Split(' ')[5], CultureInfo.InvariantCulture);
    }
}
