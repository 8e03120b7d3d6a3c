using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>After waking elsewhere programs go on using the addresses and host names that they had (samples/network/old-addresses.c).</summary>
[Parallelizable(ParallelScope.None)]
internal sealed class HostsAddressesTests
{
    /// <summary>Two other hosts, then others again, then each other's, and then their own.</summary>
    [Test, CancelAfter(120_000)]
    public async Task OldAddresses_LeadToWhereTheHostsAreNow([Values("mouse", "root")] string user, CancellationToken token)
        => await RunAsync(user, [("c", "d"), ("d", "a"), ("b", "a"), ("a", "b")], token);

    /// <summary>Both have the same ports, and wake on one host; then on another one, and on two again.</summary>
    [Test, CancelAfter(120_000)]
    public async Task HostsThatBecomeOne_HaveTheirPortsAllTheSame([Values("mouse", "root")] string user, CancellationToken token)
        => await RunAsync(user, [("c", "c"), ("a", "a"), ("d", "b"), ("b", "b")], token);

    /// <summary>Somebody else has the ports on the new host: the programs get others there, and find each other all the same.</summary>
    [Test, CancelAfter(120_000)]
    public async Task PortsOfAStranger_AreEvaded(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostTalkers talkers = await HostTalkers.LaunchAsync(hosts, "mouse", token);
        await talkers.SleepAsync(token);
        RunningProcess stranger = hosts.StartOn(
            "c", "root", "python3", "-c", "import socket, sys\none = socket.create_server(('', 5656), family=socket.AF_INET6, dualstack_ipv6=True)\nprint('ready', flush=True)\nsys.stdin.read()");
        await Condition.WaitAsync("the stranger", () => (stranger.Output.Contains("ready", StringComparison.Ordinal), stranger.Errors), CheckpointedProgram.Deadline, token);
        await talkers.WakeAsync("c", "d", token);
        await talkers.TalkAsync(token);

        Assert.That(talkers.Said, Does.Contain("This computation finds what has changed; other clients do not."), hosts.Transcript.ToString());
        await talkers.EndAsync(token);
        hosts.Passed();
    }

    private static async Task RunAsync(string user, (string First, string Second)[] places, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostTalkers talkers = await HostTalkers.LaunchAsync(hosts, user, token);
        await talkers.TalkAsync(token);

        foreach ((string first, string second) in places)
        {
            await talkers.MoveAsync(first, second, token);
            await talkers.TalkAsync(token);
            await talkers.TalkAsync(token);
        }

        await talkers.EndAsync(token);
        hosts.Passed();
    }
}
