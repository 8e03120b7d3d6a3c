using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>Connections between members of which each knows another address than the other has: a router translates them (NAT). They are
/// told from connections to the outside that look the same, and go on wherever their ends wake (docs/decisions/0024).</summary>
[Parallelizable(ParallelScope.None)]
internal sealed class TranslatedConnectionTests
{
    private const int Outside = 2;

    /// <summary>Also the other way round: then only the end that was found by the other one can connect to it.</summary>
    [Test, CancelAfter(120_000)]
    public async Task ConnectionsFromBehindARouter_GoOn(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r", "y~r");
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "a", "x", hosts.AddressOf("a"), "5555", "y", "b", token);

        await talkers.CheckpointAsync(Outside, token);
        await talkers.CheckpointAsync(Outside, token);
        await talkers.WakeAsync("a", "x", token);
        await talkers.CheckpointAsync(0, token);
        await talkers.WakeAsync("y", "b", token);
        await talkers.CheckpointAsync(0, token);
        await talkers.WakeOnHostsAsync("a,b", token);

        await talkers.EndAsync("reset", token);
        hosts.Passed();
    }

    [Test, CancelAfter(120_000)]
    public async Task ConnectionsToAPortThatARouterForwards_GoOn(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r");
        await hosts.FilterAsync("r", "add rule ip nat forward tcp dport 8000 dnat to 192.168.7.1:5555", token);
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "x", "b", "10.77.0.251", "8000", "a", "a", token);

        await talkers.CheckpointAsync(Outside, token);
        await talkers.WakeAsync("x", "b", token);

        await talkers.EndAsync("reset", token);
        hosts.Passed();
    }

    /// <summary>A checkpoint alone changes nothing: also the connections to the outside are as they were.</summary>
    [Test, CancelAfter(60_000)]
    public async Task ACheckpoint_ChangesNothing(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r", "y~r");
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "a", "x", hosts.AddressOf("a"), "5555", "y", "b", token);

        await talkers.CheckpointAsync(Outside, token);

        await talkers.EndAsync("open", token);
        hosts.Passed();
    }
}
