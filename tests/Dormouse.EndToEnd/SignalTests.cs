using System.Runtime.InteropServices;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Signals that come in the middle of a checkpoint.</summary>
internal sealed partial class SignalTests
{
    private const int User1 = 10, User2 = 12;

    /// <summary>A program that waits for a signal and sleeps on although its handler has run would sleep for ever.</summary>
    [Test, CancelAfter(120_000)]
    [TestCase("pause"), TestCase("poll"), TestCase("read"), TestCase("futex"), TestCase("restart")]
    public async Task Signal_DuringACheckpoint_EndsTheCallThatWaitsForIt(string call, CancellationToken token)
    {
        Sample sample = new($"acknowledge-{call}", "acknowledge", call);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        int pid = program.MemberPids().Single();
        // Its memory makes all members stand still for a while.
        RunningProcess large = program.LaunchAnother("large", Built.Sample("large"), "256");
        await program.WaitForOutputAsync(large, "ready", token);

        for (int signals = 1; signals <= 5; signals++)
        {
            RunningProcess checkpoint = await StartCheckpointAsync(program, token);
            Assert.That(Kill(pid, User1), Is.Zero);
            await program.WaitForOutputAsync($"got {signals}\n", token);
            await checkpoint.ExitCodeAsync(token);
        }

        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        foreach (int member in program.MemberPids()) _ = Kill(member, User2);
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>Returns in the middle of a checkpoint: one that was over before we saw it is followed by another.</summary>
    private static async Task<RunningProcess> StartCheckpointAsync(CheckpointedProgram program, CancellationToken token)
    {
        while (true)
        {
            RunningProcess checkpoint = program.StartCommand("--checkpoint");
            bool isSeen = false;
            await Condition.WaitAsync("the image to grow", () => ((isSeen = IsBeingWritten(program.Images)) || checkpoint.HasExited, "no image"), CheckpointedProgram.Deadline, token);
            if (isSeen) return checkpoint;
            if (await checkpoint.ExitCodeAsync(token) != 0) throw program.Failure("the checkpoint failed");
        }
    }

    private static bool IsBeingWritten(string images)
        => Directory.EnumerateFiles(images, ".ckpt_large*").Any(path => new FileInfo(path) is { Exists: true, Length: > 16 << 20 });

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
