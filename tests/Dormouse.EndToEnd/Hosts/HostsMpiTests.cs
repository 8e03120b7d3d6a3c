using System.Globalization;
using System.Text.RegularExpressions;
using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>An MPI job across two hosts is put to sleep while its ranks talk to each other, killed, and wakes on other hosts; the
/// result is, bit by bit, that of an undisturbed run.</summary>
[Parallelizable(ParallelScope.None)]
internal sealed partial class HostsMpiTests
{
    private const string Port = "7801";

    private const string TwoHosts = "a:2,b:2", ThreeHosts = "a:1,b:1,c:1", EightOnThree = "a:3,b:3,c:2";

    /// <summary>Where each generation wakes; dmrestart is called on the first of these hosts.</summary>
    private static readonly string[][] s_meetings = [["c", "d"], ["b"], ["b"]];

    /// <inheritdoc cref="s_meetings"/>
    private static readonly string[][] s_places = [["c", "d"], ["b", "a"], ["d", "c"]];

    /// <summary>The same for jobs of three hosts: entirely others in part, fewer, more.</summary>
    private static readonly string[][] s_placesOfThree = [["d", "a", "b"], ["c", "b"], ["b", "c", "d"]];

    [Test, CancelAfter(180_000)]
    public async Task EachGeneration_WakesOnOtherHosts([Values("openmpi", "mpich")] string mpi, CancellationToken token)
        => await RunAsync(new Job(mpi, "stencil", TwoHosts), s_places, token);

    [Test, CancelAfter(180_000)]
    public async Task Mpi4py_OnThreeHosts_WakesOnFewerAndMore(CancellationToken token)
        => await RunAsync(new Job("openmpi", "python-mpi.py", ThreeHosts), s_placesOfThree, token);

    [Test, Explicit("takes minutes"), Category("soak"), CancelAfter(3_600_000)]
    public async Task ThreeHosts_OfAnyJob_EndAsOneRun(
        [Values("openmpi", "mpich")] string mpi, [Values("ring", "allreduce", "stencil", "stencil-openmp")] string program,
        [Values(ThreeHosts, EightOnThree)] string ranks, [Values("mouse", "root")] string user, CancellationToken token)
        => await RunAsync(new Job(mpi, program, ranks, user), s_placesOfThree, token);

    /// <summary>Ranks meet for the first time after a restart: on two other hosts, on one, and on that once more.</summary>
    [Test, CancelAfter(120_000)]
    [TestCase("openmpi"), TestCase("mpich", Explicit = true, Reason = "often waits for its own end, see HostsJob")]
    public async Task RanksThatHaveNeverTalked_FindEachOther(string mpi, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        string images = Path.Combine(hosts.Shared, "images"), front = "a";
        RunningProcess job = hosts.StartOn(
            "a", "mouse", ["dmlaunch", "-p", Port, "--ckptdir", images, .. new Job(mpi, "late", TwoHosts).Command, hosts.Shared]);
        await WaitForOutputAsync(hosts, job, "ready", token);

        for (int stage = 1; stage <= s_meetings.Length; stage++)
        {
            await hosts.CheckpointAsync(front, "mouse", Port, token);
            await hosts.KillAllAsync(token);
            front = s_meetings[stage - 1][0];
            job = hosts.StartOn(front, "mouse", "dmrestart", "--new-coordinator", "-p", Port, "--hosts", string.Join(',', s_meetings[stage - 1]), images);
            await hosts.WaitUntilRunningAsync(front, "mouse", Port, job, token);
            await File.WriteAllTextAsync(Path.Combine(hosts.Shared, $"stage-{stage}"), "", token);
            await WaitForOutputAsync(hosts, job, $"stage {stage}\n", token);
        }

        await HostsJob.EndAsync(hosts, job, mpi, token);
        Assert.That(job.Output, Does.Contain("ok checksum"), hosts.Transcript.ToString());
        hosts.Passed();
    }

    [Test, Explicit("takes minutes"), Category("soak"), CancelAfter(7_200_000)]
    public async Task ManyGenerations_OfAnyJob_EndAsOneRun([Values("openmpi", "mpich")] string mpi, [Values("ring", "allreduce", "stencil")] string program, CancellationToken token)
        => await RunAsync(new Job(mpi, program, TwoHosts), [.. Enumerable.Range(0, Soak.Cycles(200)).Select(cycle => s_places[cycle % s_places.Length])], token);

    private static async Task RunAsync(Job task, string[][] places, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        string stop = Path.Combine(hosts.Shared, "stop"), images = Path.Combine(hosts.Shared, "images");
        hosts.Variables["SAMPLE_STOP"] = stop;
        RunningProcess job = hosts.StartOn(
            "a", task.User, ["dmlaunch", "-p", Port, "--ckptdir", images, .. task.Command]);
        await Condition.WaitAsync("ready", () => (job.Output.Contains("ready", StringComparison.Ordinal), job.Errors), CheckpointedProgram.Deadline, token);

        string front = "a";
        foreach (string[] targets in places)
        {
            await RunForRandomTimeAsync(hosts, token);
            await hosts.CheckpointAsync(front, task.User, Port, token);
            await RunForRandomTimeAsync(hosts, token);
            await hosts.KillAllAsync(token);

            front = targets[0];
            job = hosts.StartOn(front, task.User, "dmrestart", "--new-coordinator", "-p", Port, "--hosts", string.Join(',', targets), images);
            await hosts.WaitUntilRunningAsync(front, task.User, Port, job, token);
        }

        await RunForRandomTimeAsync(hosts, token);
        await File.WriteAllTextAsync(stop, "", token);
        await HostsJob.EndAsync(hosts, job, task.Mpi, token);
        Match last = LastLine().Match(job.Output);
        if (!last.Success) throw hosts.Failure("the program printed no checksum");

        hosts.Variables.Remove("SAMPLE_STOP");
        hosts.Variables["SAMPLE_STEPS"] = last.Groups[1].Value;
        RunningProcess undisturbed = hosts.StartOn("a", task.User, task.Command);
        await HostsJob.EndAsync(hosts, undisturbed, task.Mpi, token, TimeSpan.FromHours(1));
        Assert.That(LastLine().Match(undisturbed.Output).Value, Is.EqualTo(last.Value), hosts.Transcript.ToString());
        hosts.Passed();
    }

    private static async Task WaitForOutputAsync(HostGroup hosts, RunningProcess job, string text, CancellationToken token)
        => await Condition.WaitAsync(text, () =>
        {
            if (job.HasExited && !job.Output.Contains(text, StringComparison.Ordinal)) throw hosts.Failure("the job ended");
            return (job.Output.Contains(text, StringComparison.Ordinal), job.Errors);
        }, CheckpointedProgram.Deadline, token);

    private static async Task RunForRandomTimeAsync(HostGroup hosts, CancellationToken token)
    {
        TimeSpan time = TimeSpan.FromMilliseconds(Random.Shared.Next(200));
        hosts.Transcript.Add("runs", $"for {time.TotalMilliseconds} ms");
        await Task.Delay(time, token);
    }

    /// <param name="Hosts">Each host with how many ranks it has: "a:2,b:2".</param>
    private sealed record Job(string Mpi, string Program, string Hosts, string User = "mouse")
    {
        public string[] Command => [.. Start, "-np", Ranks, .. Program.EndsWith(".py", StringComparison.Ordinal) ? ["/usr/bin/python3", Built.Sample(Program)] : new[] { Built.Sample($"{Program}.{Mpi}") }];

        private string[] Start => Mpi == "mpich" ? ["mpirun.mpich", "-hosts", Hosts]
            : ["mpirun.openmpi", "--oversubscribe", .. User == "root" ? new[] { "--allow-run-as-root" } : [], "-host", Hosts];

        private string Ranks => Hosts.Split(',').Sum(host => int.Parse(host.AsSpan(host.IndexOf(':', StringComparison.Ordinal) + 1), CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("^ok checksum [0-9a-f]{16} steps ([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex LastLine();
}
