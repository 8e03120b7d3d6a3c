using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>A server that locks itself into a directory (chroot) cannot come back there yet: that is said, and does it no harm.</summary>
internal sealed class ChangedRootTests
{
    private const string Program = """
        import os, time
        print("begins", flush=True)
        while not os.path.exists("now"): time.sleep(0.01)
        directory = os.getcwd() + "/root"
        if WITH_PROC: os.makedirs(directory + "/proc"); os.system("mount -t proc proc " + directory + "/proc")
        else: os.makedirs(directory)
        os.chroot(directory)
        os.chdir("/")
        print("ready", flush=True)
        while True: time.sleep(0.1)
        """;

    [Test, CancelAfter(120_000)]
    [TestCase(false, TestName = "{m}(without proc)"), TestCase(true, TestName = "{m}(with proc)")]
    public async Task AnotherRootDirectory_IsRefusedByName_AndGoesOn(bool hasProc, CancellationToken token)
    {
        Sample sample = new("chroot", "/usr/bin/python3", "-c", Program.Replace("WITH_PROC", hasProc ? "True" : "False", StringComparison.Ordinal));
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.Root, token);
        try
        {
            await program.WaitForOutputAsync("begins", token);
            await program.WaitForMembersAsync(seen => seen == 1, "one member", token);
            await File.WriteAllTextAsync(Path.Combine(program.Work, "now"), "", token);
            await program.WaitForOutputAsync("ready", token);

            await ExpectRefusalAsync(program, token);
            ComputationProcesses.KillOne(program.CoordinatorPid);
            await program.RestartCoordinatorAsync(token);
            await program.WaitForMembersAsync(seen => seen == 1, "the member to come back", token);
            await ExpectRefusalAsync(program, token);

            Assert.That(program.Program.HasExited, Is.False, program.Transcript.ToString());
            await program.KillAsync(token);
        }
        finally
        {
            if (hasProc) await program.RunAsync("umount", ["umount", "-l", Path.Combine(program.Work, "root", "proc")], CancellationToken.None);
        }
    }

    private static async Task ExpectRefusalAsync(CheckpointedProgram program, CancellationToken token)
    {
        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");
        Assert.That(refused.ExitCode, Is.Not.Zero);
        Assert.That(refused.Errors, Does.Contain("(python3): it lives in a root directory of its own (chroot)"), program.Transcript.ToString());
        Assert.That(Directory.GetFiles(program.Images), Is.Empty);
    }
}
