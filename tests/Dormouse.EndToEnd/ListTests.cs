using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Processes in a pod have other PIDs for the user than for themselves.</summary>
internal sealed class ListTests
{
    private const int SIGCONT = 18, SIGSTOP = 19;

    [Test, CancelAfter(120_000)]
    public async Task AfterARestart_TheListSaysWhatKillTakes(CancellationToken token)
    {
        Sample sample = new("process-tree", "process-tree");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        await program.CheckpointAsync(token);
        Dictionary<int, int> before = await ListAsync(program, token);
        await program.KillAndRestartAsync(token);

        Dictionary<int, int> after = await ListAsync(program, token);

        Assert.That(before.All(pair => pair.Key == pair.Value), Is.True, program.Transcript.ToString());
        Assert.That(after.Keys, Is.EquivalentTo(before.Keys), program.Transcript.ToString());
        Assert.That(after.Select(pair => PidInPod(pair.Value)), Is.EqualTo(after.Keys), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    [Test, CancelAfter(120_000)]
    public async Task AStoppedProcess_RefusesTheCheckpoint_AtOnce([Values] bool inPod, CancellationToken token)
    {
        Sample sample = new("hello", "hello");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        RunningProcess other = program.LaunchAnother("other", sample.Resolve());
        await program.WaitForOutputAsync(other, "ready", token);
        await program.CheckpointAsync(token);
        if (inPod) await program.KillAndRestartAsync(token);
        await program.WaitForMembersAsync(members => members == 2, "2 processes", token);
        int pid = (await ListAsync(program, token)).Values.Max();

        _ = ComputationProcesses.Kill(pid, SIGSTOP);
        await Condition.WaitAsync("the process to be stopped", () => (State(pid) == 'T', $"{State(pid)}"), CheckpointedProgram.Deadline, token);
        Stopwatch watch = Stopwatch.StartNew();
        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");
        TimeSpan took = watch.Elapsed;
        _ = ComputationProcesses.Kill(pid, SIGCONT);

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain($"is stopped, as by ^Z, and nothing can be asked of it. Continue it, with fg or kill -CONT {pid},"));
        Assert.That(took, Is.LessThan(TimeSpan.FromSeconds(1.5)), "that others stood still for it");
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>PIDs as the processes see them, and as this host does.</summary>
    private static async Task<Dictionary<int, int>> ListAsync(CheckpointedProgram program, CancellationToken token)
    {
        using JsonDocument list = JsonDocument.Parse((await program.CommandAsync(token, "--list", "--json")).Output);
        return list.RootElement.EnumerateArray().ToDictionary(
            member => member.GetProperty("pid").GetInt32(), member => member.GetProperty("hostPid").GetInt32());
    }

    private static int PidInPod(int pid)
        => int.Parse(StatusLine(pid, "NSpid:").Split('\t')[^1], CultureInfo.InvariantCulture);

    private static char State(int pid) => StatusLine(pid, "State:").TrimStart()[0];

    private static string StatusLine(int pid, string name)
        => File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..];
}
