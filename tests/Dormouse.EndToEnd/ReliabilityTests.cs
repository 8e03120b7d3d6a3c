using System.Globalization;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Whatever dies, and whenever: the previous generation can be woken, and who survives goes on.</summary>
internal sealed class ReliabilityTests
{
    private const int CannotRestart = 125;

    private static readonly Sample s_tree = new("process-tree", "process-tree");

    [Test, CancelAfter(120_000)]
    public async Task Coordinator_Killed_ProgramGoesOnAndComesBackToTheNextOne(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_tree, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        int members = (await program.CheckpointAsync(token)).Images.Count;

        ComputationProcesses.KillOne(program.CoordinatorPid);
        await program.RestartCoordinatorAsync(token);
        await program.WaitForMembersAsync(seen => seen == members, $"{members} processes that came back", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);

        Assert.That(report.Images, Has.Count.EqualTo(members), program.Transcript.ToString());
        await program.AssertContentAsync(s_tree, token);
    }

    [Test, CancelAfter(240_000)]
    public async Task Coordinator_KilledDuringACheckpoint_LeavesTheProgramRunning(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_tree, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        int members = (await program.CheckpointAsync(token)).Images.Count;

        for (int time = 0; time < 5; time++)
        {
            Task<ToolResult> checkpoint = program.TryCommandAsync(token, "--checkpoint");
            await CheckpointedProgram.RunForAsync(TimeSpan.FromMilliseconds(Random.Shared.Next(60)), token);
            ComputationProcesses.KillOne(program.CoordinatorPid);
            await checkpoint;
            await program.RestartCoordinatorAsync(token);
            await program.WaitForMembersAsync(seen => seen == members, $"{members} processes that came back", token);
        }

        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(s_tree, token);
    }

    [Test, CancelAfter(240_000)]
    public async Task Member_KilledDuringACheckpoint_LeavesThePreviousGenerationWhole(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_tree, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        for (int time = 0; time < 5; time++)
        {
            int count = (await program.CheckpointAsync(token)).Images.Count;
            List<int> members = program.MemberPids();
            Task<ToolResult> checkpoint = program.TryCommandAsync(token, "--checkpoint");
            await CheckpointedProgram.RunForAsync(TimeSpan.FromMilliseconds(Random.Shared.Next(60)), token);
            ComputationProcesses.KillOne(members[^1]);
            ToolResult result = await checkpoint;
            program.Transcript.Add("killed", $"{members[^1]}, and the checkpoint ended with {result.ExitCode}");
            await program.KillAsync(token);
            await program.RestartAsync(NewestWith(count, program), "/", token);
        }

        await program.AssertContentAsync(s_tree, token);
    }

    /// <summary>When the process was dead before the checkpoint began, that is a generation without it; the one before has all.</summary>
    private static string[] NewestWith(int count, CheckpointedProgram program)
        => Directory.GetDirectories(program.Images, "generation-*").OrderByDescending(name => int.Parse(name.Split('-')[^1], CultureInfo.InvariantCulture))
            .Prepend(program.Images).Select(directory => Directory.GetFiles(directory, "ckpt_*.img")).FirstOrDefault(images => images.Length == count)
            ?? throw program.Failure($"no generation of {count} images is left");

    [Test, CancelAfter(120_000)]
    public async Task Dmcommand_Killed_DoesNotHarm(CancellationToken token)
    {
        Sample sample = new("threads", "threads") { HasChecksum = true };
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        for (int time = 0; time < 5; time++)
        {
            using RunningProcess command = program.StartCommand("--checkpoint");
            await CheckpointedProgram.RunForAsync(TimeSpan.FromMilliseconds(Random.Shared.Next(40)), token);
            ComputationProcesses.KillOne(command.Pid);
            await command.ExitCodeAsync(token);
        }

        await program.WaitUntilRunningAsync(token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>A pod ends with its dmrestart; without one, the processes have no tie to it that could not be seen.</summary>
    [Test, CancelAfter(90_000)]
    public async Task Dmrestart_Killed_EndsAPod_AndOnlyThat([Values] bool pod, CancellationToken token)
    {
        Sample sample = new("hello", "hello");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, pod ? RunMode.User : RunMode.RootNoPod, token);
        await program.WaitForOutputAsync("ready", token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);

        ComputationProcesses.KillOne(program.Program.Pid);
        await program.Program.ExitCodeAsync(token);

        if (!pod)
        {
            await program.CheckpointAsync(token);
            await program.CommandAsync(token, "--kill");
        }

        await Condition.WaitAsync("all to have ended", () => (program.MemberPids().Count == 0, string.Join(' ', program.MemberPids())), CheckpointedProgram.Deadline, token);
        program.Passed();
    }

    [Test, CancelAfter(120_000)]
    public async Task FullDisk_IsNamed_AndTheProgramGoesOn(CancellationToken token)
    {
        Sample sample = new("large", "large", "64");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);
        await program.RunAsync("mount", ["mount", "-t", "tmpfs", "-o", "size=1m", "none", program.Images], token);
        try
        {
            ToolResult result = await program.TryCommandAsync(token, "--checkpoint");

            Assert.That(result.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
            Assert.That(result.Errors, Does.Contain(program.Images).And.Not.Contain("   at "), program.Transcript.ToString());
            Assert.That(Directory.GetFiles(program.Images, "*", SearchOption.AllDirectories), Is.Empty, "nothing half written is left");
        }
        finally
        {
            await program.RunAsync("umount", ["umount", program.Images], token);
        }

        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(sample, token);
    }

    [Test, CancelAfter(120_000)]
    public async Task DamagedOrMissingImages_AreRefusedInOneSentence(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_tree, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        string[] images = [.. report.Images.Select(image => image.Path)];
        byte[] whole = await File.ReadAllBytesAsync(images[0], token);

        (string What, byte[] Bytes)[] damages =
        [
            ("empty", []),
            ("cut off in the header", whole[..1000]),
            ("cut off in the middle", whole[..(whole.Length / 2)]),
            ("cut off by a page", whole[..^4096]),
            ("of another version", Flip(whole, 8)),
            ("of another architecture", Flip(whole, 12)),
            ("a bit of the header", Flip(whole, 20)),
            ("a bit of the manifest", Flip(whole, 4200)),
            ("some memory", [.. whole[..32768], .. whole[32768..98304].Select(one => (byte)~one), .. whole[98304..]]),
            ("a bit near the end", Flip(whole, whole.Length - 100)),
            ("something else", new byte[whole.Length]),
        ];
        foreach ((string what, byte[] bytes) in damages)
        {
            await File.WriteAllBytesAsync(images[0], bytes, token);
            await AssertRefusedAsync(program, images, what, token);
        }

        await File.WriteAllBytesAsync(images[0], whole, token);
        string hidden = images[0] + ".hidden";
        File.Move(images[0], hidden);
        await AssertRefusedAsync(program, images[1..], "one is missing", token);
        File.Copy(images[1], images[0]);
        await AssertRefusedAsync(program, images, "one is there twice, in place of another", token);
        File.Delete(images[0]);
        File.Move(hidden, images[0]);

        await program.RestartAsync(token);
        await program.AssertContentAsync(s_tree, token);
    }

    /// <summary>Whatever is mixed, nothing is woken that was not together.</summary>
    [Test, CancelAfter(120_000)]
    public async Task ImagesThatDoNotBelongTogether_AreRefusedInOneSentence(CancellationToken token)
    {
        Sample sample = new("hello", "hello");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        await program.WaitForOutputAsync(program.LaunchAnother("second", sample.Resolve()), "ready", token);
        string apart = Path.Combine(program.Work, "apart"), alien = Path.Combine(program.Work, "alien");
        string[] first = await CopyCheckpointAsync(program, apart, token);
        string[] second = [.. (await program.CheckpointAsync(token)).Images.Select(image => image.Path)];
        await program.KillAsync(token);
        await using CheckpointedProgram other = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await other.WaitForOutputAsync("ready", token);
        string[] others = await CopyCheckpointAsync(other, alien, token);
        await other.KillAsync(token);
        other.Passed();

        // Where the rest cannot be found: in directories of their own.
        string[] mixed = [Moved(first[0], Path.Combine(program.Work, "a")), Moved(second[1], Path.Combine(program.Work, "b"))];
        await AssertRefusedAsync(program, mixed, "of two generations", token);
        await AssertRefusedAsync(program, [first[1], others[0]], "of two computations", token);

        program.Passed();
    }

    private static async Task<string[]> CopyCheckpointAsync(CheckpointedProgram program, string directory, CancellationToken token)
    {
        CheckpointReport report = await program.CheckpointAsync(token);
        return [.. report.Images.Select(image => Moved(image.Path, directory))];
    }

    private static string Moved(string image, string directory)
    {
        Directory.CreateDirectory(directory);
        string copy = Path.Combine(directory, Path.GetFileName(image));
        File.Copy(image, copy);
        return copy;
    }

    private static async Task AssertRefusedAsync(CheckpointedProgram program, string[] images, string what, CancellationToken token)
    {
        using RunningProcess restart = program.StartRestart(images, "/", "-q");
        int exitCode = await restart.ExitCodeAsync(token);

        Assert.That(exitCode, Is.EqualTo(CannotRestart), $"{what}: {program.Transcript}");
        Assert.That(restart.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1), $"{what}: {program.Transcript}");
    }

    private static byte[] Flip(byte[] bytes, int offset)
    {
        byte[] copy = [.. bytes];
        copy[offset] ^= 4;
        return copy;
    }
}
