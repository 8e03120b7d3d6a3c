using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>
/// kill -9 of a member, of the coordinator or of dmcommand in every state of the second checkpoint: the survivors run and can be
/// checkpointed, and the first generation can be woken. The fault points are those of coordinator/Dormouse.Coordinator/Faults.
/// </summary>
internal sealed class FaultPointTests
{
    private const int Programs = 3;

    private static readonly Sample s_sample = new("hello", "hello") { HasChecksum = true };
    private static readonly string[] s_phases = ["Suspend", "Drain", "Write", "Resume", "Commit"];
    private static readonly string[] s_restartPhases = ["Memory", "Reopen", "Reconnect", "Refill", "Resume"];

    [TestCaseSource(nameof(CheckpointFaults)), CancelAfter(120_000)]
    public async Task PreviousGeneration_IsWhole_AndSurvivorsRun(string victim, string when, CancellationToken token)
    {
        Dictionary<string, string> fault = new() { ["DORMOUSE_FAULT"] = $"{victim}@{when}/2" };
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, fault, token);
        for (int number = 0; number < Programs; number++)
            await program.WaitForOutputAsync(program.LaunchAnother($"{number}", s_sample.Resolve()), "ready", token);
        CheckpointReport first = await program.CheckpointAsync(token);

        ToolResult second = await program.TryCommandAsync(token, "--checkpoint");
        program.Transcript.Add("fault", $"dmcommand ended with {second.ExitCode}");
        program.Variables.Remove("DORMOUSE_FAULT");
        if (victim == "coordinator") await program.RestartCoordinatorAsync(token);
        int survivors = victim is "member" or "finisher" ? Programs - 1 : Programs;
        await program.WaitForMembersAsync(seen => seen == survivors, $"{survivors} survivors", token);
        await program.WaitUntilRunningAsync(token);
        string elsewhere = Path.Combine(program.Work, "elsewhere");
        CheckpointReport third = CheckpointReport.Parse((await program.CommandAsync(token, "--checkpoint", "--json", "--ckptdir", elsewhere)).Output);
        await program.KillAsync(token);

        Assert.That(first.Images, Has.Count.EqualTo(Programs), program.Transcript.ToString());
        Assert.That(second.Errors, Does.Not.Contain("   at "), program.Transcript.ToString());
        Assert.That(third.Images, Has.Count.EqualTo(survivors), program.Transcript.ToString());
        Assert.That(Directory.GetFiles(program.Images, ".*", SearchOption.AllDirectories), Is.Empty, $"nothing half written is left\n{program.Transcript}");
        await program.RestartAsync(FirstGeneration(program), "/", token);
        await program.AssertContentAsync(s_sample, token);
    }

    /// <summary>When the second one was committed, with or without the victim, the first has moved.</summary>
    private static string[] FirstGeneration(CheckpointedProgram program)
    {
        string archive = Path.Combine(program.Images, "generation-1");
        return Directory.GetFiles(Directory.Exists(archive) ? archive : program.Images, "ckpt_*.img");
    }

    /// <summary>Without a pod, so that the coordinator sees the same PIDs.</summary>
    [TestCaseSource(nameof(RestartFaults)), CancelAfter(120_000)]
    public async Task Restart_ThatBreaksOff_SaysSo_LeavesNoProcess_AndCanBeRepeated(string victim, string when, CancellationToken token)
    {
        Dictionary<string, string> fault = new() { ["DORMOUSE_FAULT"] = $"{victim}@{when}/2" };
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.RootNoPod, fault, token);
        for (int number = 0; number < Programs; number++)
            await program.WaitForOutputAsync(program.LaunchAnother($"{number}", s_sample.Resolve()), "ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        string[] images = [.. report.Images.Select(image => image.Path)];

        RunningProcess restart = program.StartRestart(images, "/", "-q");
        int exitCode = await restart.ExitCodeAsync(token);
        program.Variables.Remove("DORMOUSE_FAULT");
        await Condition.WaitAsync("no process to be left", () => (program.MemberPids().Count == 0, string.Join(' ', program.MemberPids())), CheckpointedProgram.Deadline, token);
        if (victim == "coordinator") await program.RestartCoordinatorAsync(token);

        Assert.That(exitCode, Is.EqualTo(victim == "client" ? 137 : 125), program.Transcript.ToString());
        if (victim != "client")
            Assert.That(restart.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1), program.Transcript.ToString());
        await program.RestartAsync(images, "/", token);
        await program.AssertContentAsync(s_sample, token);
    }

    private static IEnumerable<TestCaseData> CheckpointFaults()
        => from victim in new[] { "member", "finisher", "coordinator", "client" }
           from phase in s_phases
           from when in victim == "finisher" ? [phase + "+1"] : new[] { phase, phase + "+1" }
           select new TestCaseData(victim, when).SetArgDisplayNames(victim, when);

    private static IEnumerable<TestCaseData> RestartFaults()
        => from victim in new[] { "member", "coordinator", "client" }
           from phase in s_restartPhases
           where (victim, phase) is not (("member", "Memory") or ("client", "Resume")) // there is nobody yet; all is done already
           select new TestCaseData(victim, phase).SetArgDisplayNames(victim, phase);
}
