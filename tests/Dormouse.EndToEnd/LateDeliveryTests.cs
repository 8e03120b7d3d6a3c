using System.Diagnostics;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Where loopback hands packets to whichever processor (RPS), they come later than they are sent, and overtake one another.</summary>
internal sealed class LateDeliveryTests
{
    [Test, CancelAfter(60_000)]
    public async Task UnreadDatagrams_OfSocketsThatShareAPort_ComeBackInOrder(CancellationToken token)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("needs root");
        string name = $"dmrps{Environment.ProcessId}";
        await RunAsync(token, "ip", "netns", "add", name);
        try
        {
            await RunAsync(token, "ip", "-n", name, "link", "set", "lo", "up");
            await RunAsync(token, "ip", "netns", "exec", name, "sh", "-c", $"printf %x {(1 << Math.Min(Environment.ProcessorCount, 31)) - 1} > /sys/class/net/lo/queues/rx-0/rps_cpus");
            Sample sample = AllSamples.OfOneProcessTree.Single(sample => sample.Name == "socket-groups");
            await CheckpointedProgram.RunCyclesAsync(sample, RunMode.User with { NetworkNamespace = name }, cycles: 3, token);
        }
        finally
        {
            await RunAsync(CancellationToken.None, "ip", "netns", "delete", name);
        }
    }

    private static async Task RunAsync(CancellationToken token, string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync(token);
        Assert.That(process.ExitCode, Is.Zero, $"{program} {string.Join(' ', arguments)}");
    }
}
