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

    private static readonly (string Mpi, string[] Command)[] s_jobs =
    [
        ("openmpi", ["mpirun.openmpi", "--oversubscribe", "-host", "a:2,b:2", "-np", "4"]),
        ("mpich", ["mpirun.mpich", "-hosts", "a:2,b:2", "-np", "4"]),
    ];

    /// <summary>Where each generation wakes; dmrestart is called on the first of these hosts.</summary>
    private static readonly string[][] s_places = [["c", "d"], ["b", "a"], ["d", "c"]];

    [Test, CancelAfter(180_000)]
    public async Task EachGeneration_WakesOnOtherHosts([Values("openmpi", "mpich")] string mpi, CancellationToken token)
        => await RunAsync(mpi, "stencil", s_places, token);

    [Test, Explicit("takes minutes"), Category("soak"), CancelAfter(7_200_000)]
    public async Task ManyGenerations_OfAnyJob_EndAsOneRun([Values("openmpi", "mpich")] string mpi, [Values("ring", "allreduce", "stencil")] string program, CancellationToken token)
        => await RunAsync(mpi, program, [.. Enumerable.Range(0, Soak.Cycles(200)).Select(cycle => s_places[cycle % s_places.Length])], token);

    private static async Task RunAsync(string mpi, string program, string[][] places, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c", "d");
        string stop = Path.Combine(hosts.Shared, "stop"), images = Path.Combine(hosts.Shared, "images");
        string sample = Built.Sample($"{program}.{mpi}");
        hosts.Variables["SAMPLE_STOP"] = stop;
        RunningProcess job = hosts.StartOn(
            "a", "mouse", ["dmlaunch", "-p", Port, "--ckptdir", images, .. s_jobs.First(job => job.Mpi == mpi).Command, sample]);
        await Condition.WaitAsync("ready", () => (job.Output.Contains("ready", StringComparison.Ordinal), job.Errors), CheckpointedProgram.Deadline, token);

        string front = "a";
        foreach (string[] targets in places)
        {
            await RunForRandomTimeAsync(hosts, token);
            ToolResult checkpoint = await hosts.RunOnAsync(token, front, "mouse", "dmcommand", "-p", Port, "--checkpoint");
            if (checkpoint.ExitCode != 0) throw hosts.Failure($"the checkpoint ended with {checkpoint.ExitCode}");
            await RunForRandomTimeAsync(hosts, token);
            foreach (string host in hosts.Names) await hosts.KillAllOnAsync(token, host);

            front = targets[0];
            job = hosts.StartOn(front, "mouse", "dmrestart", "--new-coordinator", "-p", Port, "--hosts", string.Join(',', targets), images);
            await WaitUntilRunningAsync(hosts, front, job, token);
        }

        await RunForRandomTimeAsync(hosts, token);
        await File.WriteAllTextAsync(stop, "", token);
        await HostsJob.EndAsync(hosts, job, mpi, token);
        Match last = LastLine().Match(job.Output);
        if (!last.Success) throw hosts.Failure("the program printed no checksum");

        hosts.Variables.Remove("SAMPLE_STOP");
        hosts.Variables["SAMPLE_STEPS"] = last.Groups[1].Value;
        RunningProcess undisturbed = hosts.StartOn("a", "mouse", [.. s_jobs.First(job => job.Mpi == mpi).Command, sample]);
        await HostsJob.EndAsync(hosts, undisturbed, mpi, token);
        Assert.That(LastLine().Match(undisturbed.Output).Value, Is.EqualTo(last.Value), hosts.Transcript.ToString());
        hosts.Passed();
    }

    private static async Task RunForRandomTimeAsync(HostGroup hosts, CancellationToken token)
    {
        TimeSpan time = TimeSpan.FromMilliseconds(Random.Shared.Next(200));
        hosts.Transcript.Add("runs", $"for {time.TotalMilliseconds} ms");
        await Task.Delay(time, token);
    }

    private static async Task WaitUntilRunningAsync(HostGroup hosts, string front, RunningProcess restart, CancellationToken token)
        => await Condition.WaitAsync("the job to run again", async () =>
        {
            if (restart.HasExited) throw hosts.Failure("dmrestart ended");
            ToolResult status = await hosts.RunOnAsync(token, front, "mouse", "dmcommand", "-p", Port, "--status");
            return (RunningAgain().IsMatch(status.Output), status.Output + status.Errors);
        }, CheckpointedProgram.Deadline, token);

    [GeneratedRegex("^ok checksum [0-9a-f]{16} steps ([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex LastLine();

    [GeneratedRegex("^NUM_PEERS=[1-9][0-9]*\nRUNNING=yes$", RegexOptions.Multiline)]
    private static partial Regex RunningAgain();
}
