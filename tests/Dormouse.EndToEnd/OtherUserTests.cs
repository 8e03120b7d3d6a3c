using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Programs of root that become another user: docs/decisions/0027. What must be written lies where only root may look.</summary>
internal sealed class OtherUserTests
{
    private static readonly Sample s_sample = new("other-users", "other-users");

    [Test, CancelAfter(180_000)]
    public async Task FiveCycles_LeaveRootToNobodyWhoHasGivenItUp(CancellationToken token)
        => await CheckpointedProgram.RunCyclesAsync(s_sample, RunMode.Root, 5, token);

    [Test, CancelAfter(120_000)]
    public async Task CheckpointsInARow_KeepTheOlderGenerationOfEach(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(s_sample, RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);
        for (int i = 0; i < 3; i++) await program.CheckpointAsync(token);

        string[] newest = Directory.GetFiles(program.Images, "ckpt_*.img"), older = Directory.GetFiles(Path.Combine(program.Images, "generation-2"), "ckpt_*.img");
        string[] all = Directory.GetFiles(program.Images, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None });
        Assert.That(newest.Select(Path.GetFileName), Is.EquivalentTo(older.Select(Path.GetFileName)));
        Assert.That(newest, Has.Length.EqualTo(5));
        Assert.That(all, Has.Length.EqualTo(11), string.Join('\n', all));

        await program.KillAsync(token);
        await program.RestartAsync(older, "/", token);
        await program.AssertContentAsync(s_sample, token);
    }

    /// <summary>A program that was started by su or setpriv, alone: nobody of root's is left who could help it.</summary>
    [Test, CancelAfter(120_000)]
    public async Task AProgramStartedAsAnotherUser_IsWrittenToRootsDirectory(CancellationToken token)
    {
        Sample sample = new("started", "/usr/bin/setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups", "@threads") { HasChecksum = true };
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);
        for (int cycle = 0; cycle < 3; cycle++)
        {
            await program.CheckpointAsync(token);
            await program.KillAndRestartAsync(token);
        }

        await program.KillAsync(token);
    }

    /// <summary>Past libc nobody sees it before the checkpoint does.</summary>
    [Test, CancelAfter(60_000)]
    public async Task RootGivenUpPastLibc_IsSaid(CancellationToken token)
    {
        Sample sample = new("past-libc", "past-libc", "setuid");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);

        CheckpointReport report = await program.CheckpointAsync(token);

        Assert.That(report.Images.Single().Losses, Has.Some.Contains("past libc (setuid)"));
        await program.KillAsync(token);
    }
}
