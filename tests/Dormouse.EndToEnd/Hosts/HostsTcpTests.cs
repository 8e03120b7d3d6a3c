using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>TCP connections between two hosts, one of them full in both directions, wake on other hosts, on one, and on two again; the
/// program sees the addresses that it had (samples/network/two-hosts.c).</summary>
[Parallelizable(ParallelScope.None)]
internal sealed class HostsTcpTests
{
    private const string Port = "7801";

    /// <summary>Where each generation wakes; dmrestart is called on the first of these hosts.</summary>
    private static readonly string[][] s_places = [["c", "d"], ["b"], ["b", "c"]];

    [Test, CancelAfter(120_000)]
    public async Task Connections_GoOn_WhereverTheirEndsWake([Values("mouse", "root")] string user, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        string stop = Path.Combine(hosts.Shared, "stop"), images = Path.Combine(hosts.Shared, "images"), sample = Built.Sample("two-hosts");
        hosts.Variables["SAMPLE_STOP"] = stop;
        RunningProcess job = hosts.StartOn(
            "a", user, "dmlaunch", "-p", Port, "--ckptdir", images, "bash", "-c",
            $"{sample} listen 5555 > >(tee /tmp/out) & until grep -q listening /tmp/out 2> /dev/null; do sleep 0.1; done; ssh b {sample} {hosts.AddressOf("a")} 5555; wait");
        await Condition.WaitAsync("ready", () => (job.Output.Contains("ready", StringComparison.Ordinal), job.Errors), CheckpointedProgram.Deadline, token);

        string front = "a";
        foreach (string[] targets in s_places)
        {
            ToolResult checkpoint = await hosts.RunOnAsync(token, front, user, "dmcommand", "-p", Port, "--checkpoint");
            if (checkpoint.ExitCode != 0) throw hosts.Failure($"the checkpoint ended with {checkpoint.ExitCode}");
            Assert.That(checkpoint.Output + checkpoint.Errors, Does.Not.Contain("outside the computation"), hosts.Transcript.ToString());
            await hosts.RunOnAsync(token, front, user, "dmcommand", "-p", Port, "--quit");
            await job.ExitCodeAsync(token);

            front = targets[0];
            job = hosts.StartOn(front, user, "dmrestart", "--new-coordinator", "-p", Port, "--hosts", string.Join(',', targets), images);
            await hosts.WaitUntilRunningAsync(front, user, Port, job, token);
        }

        await File.WriteAllTextAsync(stop, "", token);
        int exitCode = await job.ExitCodeAsync(token);
        Assert.That(exitCode, Is.Zero, hosts.Transcript.ToString());
        Assert.That(job.Output, Does.Contain("ok checksum"), hosts.Transcript.ToString());
        hosts.Passed();
    }
}
