using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Hosts;
using NUnit.Framework;

namespace Dormouse.EndToEnd.External;

/// <summary>A stock redis-server sleeps and wakes, at home and on another host; a client on a third host, which is no part of the computation,
/// only sees that an answer takes longer.</summary>
[Parallelizable(ParallelScope.None)]
internal sealed class MovedServerTests
{
    private const string Port = "7801", OtherPort = "7802", ServicePort = "6379";

    /// <summary>A checkpoint that goes on, a nap at home, and two moves: the first one refused while the old host is there, then in its place.</summary>
    [TestCase("10.77.0.1"), TestCase("fd77::1", Explicit = true, Reason = "the kernel takes its time to look for another owner"), CancelAfter(180_000)]
    public async Task Client_SeesOnlyADelay(string address, CancellationToken token)
    {
        if (!File.Exists(RedisClient.Server)) Assert.Ignore($"needs {RedisClient.Server} (redis-tools)");
        await using HostGroup hosts = await HostGroup.StartAsync(token, "home", "away", "third", "client");
        string images = Path.Combine(hosts.Shared, "images"), stop = Path.Combine(hosts.Shared, "stop"), server = Path.Combine(hosts.Shared, "redis-server");
        File.CreateSymbolicLink(server, RedisClient.Server);
        RunningProcess job = hosts.StartOn("home", "root", "dmlaunch", "-p", Port, "--ckptdir", images, server, "--port", ServicePort, "--protected-mode", "no", "--save", "");
        await Condition.WaitAsync("redis to listen", () => (job.Output.Contains("Ready to accept connections", StringComparison.Ordinal), job.Output), CheckpointedProgram.Deadline, token);
        RedisClient client = new(hosts.StartOn("client", "root", "python3", RedisClient.Script, address, ServicePort, stop), stop, hosts.Failure);
        await client.WaitForMoreAsync(token);

        ToolResult checkpoint = await hosts.RunOnAsync(token, "home", "root", "dmcommand", "-p", Port, "--checkpoint");
        Assert.That(checkpoint.Output, Does.Contain("after a restart the program sees a connection reset"), hosts.Transcript.ToString());
        await client.WaitForMoreAsync(token);

        await SleepAsync(hosts, "home", job, token);
        job = Wake(hosts, "home", images);
        await client.WaitForMoreAsync(token, job);

        await SleepAsync(hosts, "home", job, token);
        RunningProcess refused = Wake(hosts, "away", images);
        Assert.That(await refused.ExitCodeAsync(token), Is.Not.Zero, hosts.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain($"the address {address}, at which peers outside of the computation are connected, is in use by another host. Take it off there"), hosts.Transcript.ToString());
        await hosts.PowerOffAsync("home", token);
        job = Wake(hosts, "away", images, OtherPort);
        await client.WaitForMoreAsync(token, job);

        // The address goes with the computation: nobody has to take it off the host where it was brought.
        await SleepAsync(hosts, "away", job, token, OtherPort);
        job = Wake(hosts, "third", images);
        await client.WaitForMoreAsync(token, job);

        await client.FinishAsync(token);
        await hosts.RunOnAsync(token, "third", "root", "dmcommand", "-p", Port, "--quit");
        await job.ExitCodeAsync(token);
        hosts.Passed();
    }

    private static RunningProcess Wake(HostGroup hosts, string host, string images, string port = Port)
        => hosts.StartOn(host, "root", "dmrestart", "--new-coordinator", "-p", port, images);

    private static async Task SleepAsync(HostGroup hosts, string host, RunningProcess job, CancellationToken token, string port = Port)
    {
        ToolResult sleep = await hosts.RunOnAsync(token, host, "root", "dmcommand", "-p", port, "--kcheckpoint", "--keep-external-tcp");
        Assert.That(sleep.ExitCode, Is.Zero, hosts.Transcript.ToString());
        Assert.That(sleep.Output, Does.Not.Contain("outside the computation"), hosts.Transcript.ToString());
        await hosts.RunOnAsync(token, host, "root", "dmcommand", "-p", port, "--quit");
        await job.ExitCodeAsync(token);
    }
}
