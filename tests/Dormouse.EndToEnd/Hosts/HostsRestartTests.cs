using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>Computations of several hosts wake on several hosts: others, fewer, or the same.</summary>
internal sealed class HostsRestartTests
{
    /// <summary>Each generation is of other hosts than the one before; the images are in a directory that all see.</summary>
    [Test, CancelAfter(120_000)]
    public async Task EachGeneration_WakesOnOtherHosts(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);

        // As many others, from one of them.
        await MoveAsync(hosts, counters, "a", "c", "c 1, d 1", token, "--hosts", "c,d");

        // Fewer: each original host is a pod of its own.
        await MoveAsync(hosts, counters, "c", "d", "d 2", token, "--hosts", "d");

        // More, from a host where nothing wakes.
        await MoveAsync(hosts, counters, "d", "a", "b 1, c 1", token, "--hosts", "b,c");

        // The same, in the other order.
        RunningProcess restart = await MoveAsync(hosts, counters, "a", "b", "b 1, c 1", token, "--host-map", "b=c,c=b");

        await counters.AssertContentAsync(restart, token);
        hosts.Passed();
    }

    /// <summary>Two hosts that have become one are two again where there are two: also when one of these is that one.</summary>
    [Test, CancelAfter(120_000)]
    public async Task HostsThatHaveBecomeOne_AreTakenApartAgain(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);
        await MoveAsync(hosts, counters, "a", "c", "c 2", token, "--hosts", "c");

        RunningProcess apart = await MoveAsync(hosts, counters, "c", "c", "c 1, d 1", token, "--hosts", "c,d");
        Assert.That(apart.Errors, Does.Contain("what ran on a on c, b on d\n"), hosts.Transcript.ToString());

        await MoveAsync(hosts, counters, "c", "d", "d 2", token, "--hosts", "d");
        RunningProcess restart = await MoveAsync(hosts, counters, "d", "b", "a 1, b 1", token, "--host-map", "b=a,a=b");
        Assert.That(restart.Errors, Does.Contain("what ran on b on a, a on b\n"), hosts.Transcript.ToString());

        await counters.AssertContentAsync(restart, token);
        hosts.Passed();
    }

    /// <summary>All sleep and are killed, and wake by a dmrestart on a host.</summary>
    /// <param name="from">The host of the coordinator.</param>
    /// <param name="to">Where dmrestart is called.</param>
    /// <param name="places">Where they must be then.</param>
    private static async Task<RunningProcess> MoveAsync(
        HostGroup hosts, HostCounters counters, string from, string to, string places, CancellationToken token, params string[] options)
    {
        await counters.CheckpointAndKillAsync(from, token);
        RunningProcess restart = await counters.WakeAsync(to, token, [.. options, counters.Images]);
        Assert.That(await counters.PlacesAsync(to, token), Is.EqualTo(places), hosts.Transcript.ToString());
        return restart;
    }

    /// <summary>What is rolled back on other hosts is said where dmrestart was typed, each in a line with the host's name.</summary>
    [Test, CancelAfter(90_000)]
    public async Task WhatOtherHostsHaveToSay_IsShown(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);
        await counters.CheckpointAsync("a", token);
        await counters.CountOnAsync(token);
        await counters.KillAsync(token);

        RunningProcess fromOne = await counters.WakeAsync("c", token, "--host-map", "a=c,b=d", counters.Images);
        await counters.KillAsync(token);
        RunningProcess fromNone = await counters.WakeAsync("a", token, "--host-map", "a=c,b=d", counters.Images);
        await counters.KillAsync(token);
        RunningProcess quiet = await counters.WakeAsync("a", token, "-q", "--host-map", "a=c,b=d", counters.Images);

        string ofA = $"{hosts.Shared}/count-a.txt ends again where it did", ofB = $"{hosts.Shared}/count-b.txt ends again where it did";
        string[] saidFromOne = Lines(fromOne), saidFromNone = Lines(fromNone);
        Assert.Multiple(() =>
        {
            Assert.That(saidFromOne, Has.Exactly(1).StartsWith($"dmrestart: {ofA}").And.Exactly(1).StartsWith($"dmrestart: On d: {ofB}"), hosts.Transcript.ToString());
            Assert.That(saidFromNone, Has.Exactly(1).StartsWith($"dmrestart: On c: {ofA}").And.Exactly(1).StartsWith($"dmrestart: On d: {ofB}"), hosts.Transcript.ToString());
            Assert.That(quiet.Errors, Does.Not.Contain("dmrestart:"), hosts.Transcript.ToString());
        });
        await counters.AssertContentAsync(quiet, token);
        hosts.Passed();

        static string[] Lines(RunningProcess restart) => restart.Errors.Split('\n');
    }

    /// <summary>What the restorer finds only when it puts memory back is not known to dmrestart before.</summary>
    [Test, CancelAfter(90_000)]
    public async Task AnImageThatIsDamaged_IsNamedWithItsHost(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);
        await counters.CheckpointAndKillAsync("a", token);
        string ofB = Directory.GetFiles(counters.Images, "ckpt_counter_*-2.img")[0];
        byte[] whole = await File.ReadAllBytesAsync(ofB, token);
        await File.WriteAllBytesAsync(ofB, [.. whole[..32768], .. whole[32768..98304].Select(one => (byte)~one), .. whole[98304..]], token);

        ToolResult refused = await hosts.RunOnAsync(token, "a", "mouse", "dmrestart", "-q", "--new-coordinator", "-p", "7801", "--hosts", "a,b", counters.Images);

        Assert.That(refused.ExitCode, Is.EqualTo(125), hosts.Transcript.ToString());
        // ssh and the coordinator may bring theirs in any order.
        Assert.That(
            refused.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Has.Length.EqualTo(2).And.Exactly(1).Matches($"^dmrestart: On b: cannot wake counter \\(pid [0-9]+\\) from {ofB}: .*Nothing was restarted\\.$")
                .And.Exactly(1).EqualTo("dmrestart: The dmrestart on another host ended before the restart was done."),
            hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <summary>Each host keeps its images for itself, and they are copied to the same directory of the new ones.</summary>
    [Test, CancelAfter(90_000)]
    public async Task CopiedImages_Wake(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], "/tmp/images", token);
        await counters.CheckpointAndKillAsync("a", token);

        ToolResult missing = await hosts.RunOnAsync(token, "c", "mouse", "dmrestart", "--hosts", "c,d", "/tmp/images");
        foreach ((string from, string to) in new[] { ("a", "d"), ("b", "c") })
            await hosts.RunOnAsync(token, from, "mouse", "scp", "-qr", "/tmp/images", $"{to}:/tmp/");
        ToolResult refused = await hosts.RunOnAsync(token, "c", "mouse", "dmrestart", "--host-map", "a=c,b=d", "/tmp/images");
        ToolResult check = await hosts.RunOnAsync(token, "c", "mouse", "dmrestart", "--check", "--hosts", "c,d", "/tmp/images");
        RunningProcess restart = await counters.WakeAsync("c", token, "--hosts", "c,d", "/tmp/images");

        Assert.That(missing.ExitCode, Is.EqualTo(125), hosts.Transcript.ToString());
        Assert.That(missing.Errors, Is.EqualTo("dmrestart: There is no such image on c, d.\n"), hosts.Transcript.ToString());
        Assert.That(refused.ExitCode, Is.EqualTo(125), hosts.Transcript.ToString());
        Assert.That(refused.Errors, Does.Match("^dmrestart: The image of counter \\(pid [0-9]+\\) of host a is not on c\\. Copy it there, .*\n$"), hosts.Transcript.ToString());
        Assert.That(check.Output, Does.EndWith("can be woken: what ran on b on c, a on d.\n"), hosts.Transcript.ToString());
        Assert.That(await counters.PlacesAsync("c", token), Is.EqualTo("c 1, d 1"), hosts.Transcript.ToString());
        await counters.AssertContentAsync(restart, token);
        hosts.Passed();
    }

    [Test, CancelAfter(90_000)]
    public async Task WhatIsMissing_IsSaidBeforeAnythingStarts(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);
        await counters.CheckpointAsync("a", token);
        ToolResult runningHere = await hosts.RunOnAsync(token, "a", "mouse", "dmrestart", "--hosts", "a,b", counters.Images);
        ToolResult runningThere = await hosts.RunOnAsync(token, "a", "mouse", "dmrestart", "--hosts", "c,b", counters.Images);
        await counters.KillAsync(token);
        string[] before = [counters.Text("a"), counters.Text("b")];
        await hosts.RunOnAsync(token, "b", "mouse", "cp", "-a", Built.Build + "/bin", "/tmp/bin");
        await hosts.RunOnAsync(token, "b", "mouse", "sh", "-c", $"mkdir /tmp/lib; cp -a {Built.Build}/lib/dormouse /tmp/lib");

        ToolResult unknown = await hosts.RunOnAsync(token, "a", "mouse", "dmrestart", "--hosts", "a,nowhere", counters.Images);
        ToolResult without = await hosts.RunOnAsync(token, "b", "mouse", "/tmp/bin/dmrestart", "--hosts", "b,a", counters.Images);
        ToolResult notThere = await hosts.RunOnAsync(token, "a", "mouse", "dmrestart", "--hosts", "a,b", "/nowhere");
        ToolResult oldName = await hosts.RunOnAsync(token, "a", "mouse", "dmrestart", "--host-map", "x=b", counters.Images);
        File.Delete(Directory.GetFiles(counters.Images, "ckpt_counter_*-2.img")[0]);
        ToolResult incomplete = await hosts.RunOnAsync(token, "a", "mouse", "dmrestart", "--hosts", "a,b", counters.Images);

        Assert.Multiple(() =>
        {
            foreach (ToolResult running in new[] { runningHere, runningThere })
            {
                Assert.That(running.ExitCode, Is.EqualTo(125));
                Assert.That(running.Errors, Does.Match("^dmrestart: (On b: )?counter \\(pid [0-9]+\\) is still running, and both"), hosts.Transcript.ToString());
            }

            Assert.That(unknown.Errors, Does.Contain("dmrestart: nowhere cannot be reached: ssh ended with 255.\n"), hosts.Transcript.ToString());
            Assert.That(without.Errors, Does.StartWith("dmrestart: a has no Dormouse at /tmp/bin/"), hosts.Transcript.ToString());
            Assert.That(notThere.Errors, Is.EqualTo("dmrestart: There is no such image on a, b.\n"), hosts.Transcript.ToString());
            Assert.That(oldName.Errors, Is.EqualTo("dmrestart: --host-map names x, but the computation ran on a, b.\n"), hosts.Transcript.ToString());
            Assert.That(incomplete.Errors, Does.Match("^dmrestart: Generation 1 of computation [0-9a-f]{8} has 2 images and only 1 of them are on a, b, nor is an older one complete\\. Copy the others there\\.\n$"), hosts.Transcript.ToString());
            foreach (ToolResult result in new[] { unknown, without, notThere, oldName, incomplete }) Assert.That(result.ExitCode, Is.EqualTo(125));
            Assert.That(new[] { counters.Text("a"), counters.Text("b") }, Is.EqualTo(before), "nothing has run");
        });
        hosts.Passed();
    }

    /// <summary>Whoever has read why can try again with a new coordinator at the same port.</summary>
    [Test, CancelAfter(90_000)]
    public async Task ARefusedRestart_LeavesThePort(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);
        await counters.CheckpointAsync("a", token);
        const string Restart = "dmrestart --new-coordinator -p 7801 --hosts c,b";

        ToolResult refused = await hosts.RunOnAsync(token, "c", "mouse", "sh", "-c", $"for i in 1 2; do {Restart} {counters.Images}; done");

        Assert.That(refused.Errors, Does.Match("^(dmrestart: On b: counter \\(pid [0-9]+\\) is still running, and both .*\n){2}$"), hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <inheritdoc cref="ARefusedRestart_LeavesThePort"/>
    [Test, CancelAfter(90_000)]
    public async Task ARestartThatHasFailed_LeavesThePort(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a");
        string images = Path.Combine(hosts.Shared, "images"), stop = Path.Combine(hosts.Shared, "stop");
        string listen = $"import os, socket, time\none = socket.create_server((\"\", 5656))\nprint(\"ready\", flush=True)\nwhile not os.path.exists(\"{stop}\"): time.sleep(0.05)";
        RunningProcess program = hosts.StartOn("a", "mouse", "dmlaunch", "-p", "7801", "--ckptdir", images, "python3", "-c", listen);
        await Condition.WaitAsync("ready", () => (program.Output.Contains("ready", StringComparison.Ordinal), program.Errors), CheckpointedProgram.Deadline, token);
        await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", "7801", "--checkpoint");
        await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", "7801", "--quit");
        await program.ExitCodeAsync(token);
        RunningProcess stranger = hosts.StartOn("a", "mouse", "python3", "-c", listen);
        await Condition.WaitAsync("the stranger", () => (stranger.Output.Contains("ready", StringComparison.Ordinal), stranger.Errors), CheckpointedProgram.Deadline, token);

        RunningProcess restart = hosts.StartOn(
            "a", "mouse", "sh", "-c", $"dmrestart -q --new-coordinator -p 7801 {images}; touch {stop}; exec dmrestart -q --new-coordinator -p 7801 {images}");
        int exitCode = await restart.ExitCodeAsync(token);

        Assert.That(exitCode, Is.Zero, hosts.Transcript.ToString());
        Assert.That(restart.Errors, Does.Match("^dmrestart: .*5656 again: .*EADDRINUSE.*\n$"), hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <summary>As batch systems do it: a dmrestart on each host, started by somebody else, and a coordinator that all can reach.</summary>
    [Test, CancelAfter(90_000)]
    public async Task Parts_WakeTogether(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);
        await counters.CheckpointAndKillAsync("a", token);

        ToolResult alone = await hosts.RunOnAsync(token, "c", "mouse", ["dmrestart", .. HostCounters.CoordinatorOn("c"), "--part", counters.Images]);
        await counters.StartCoordinatorAsync("c", token);
        RunningProcess second = hosts.StartOn("d", "mouse", ["dmrestart", .. HostCounters.CoordinatorOn("c"), "--only", "b", counters.Images]);
        RunningProcess first = hosts.StartOn("c", "mouse", ["dmrestart", .. HostCounters.CoordinatorOn("c"), "--part", Directory.GetFiles(counters.Images, "ckpt_counter_*-1.img")[0]]);
        await counters.AssertContentAsync(first, token);

        Assert.That(alone.ExitCode, Is.EqualTo(125), hosts.Transcript.ToString());
        Assert.That(alone.Errors, Does.StartWith("dmrestart: No coordinator "), hosts.Transcript.ToString());
        Assert.That(await second.ExitCodeAsync(token), Is.Zero, hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <summary>dmrestart stands for the computation also where nothing of it is on its own host.</summary>
    [Test, CancelAfter(90_000)]
    public async Task SignalToDmrestart_EndsTheComputation(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        HostCounters counters = await HostCounters.LaunchAsync(hosts, ["a", "b"], images: null, token);
        await counters.CheckpointAndKillAsync("a", token);
        RunningProcess restart = await counters.WakeAsync("a", token, "--hosts", "c,d", counters.Images);

        await hosts.RunOnAsync(token, "a", "root", "pkill", "-TERM", "-x", "dmrestart");

        Assert.That(await restart.ExitCodeAsync(token), Is.EqualTo(128 + 15), hosts.Transcript.ToString());
        foreach (string host in new[] { "c", "d" })
        {
            ToolResult left = await hosts.RunOnAsync(token, host, "root", "pgrep", "-x", "counter");
            Assert.That(left.Output, Is.Empty, hosts.Transcript.ToString());
        }

        hosts.Passed();
    }
}
