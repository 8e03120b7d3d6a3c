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
