using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Programs that real tools start belong to the computation, however little environment these give them.</summary>
internal sealed class StartedProgramsTests
{
    /// <summary>What a test needs to end a program, and nothing else.</summary>
    private const string Empty = "env -i SAMPLE_STOP=$SAMPLE_STOP SAMPLE_DIR=$SAMPLE_DIR";

    [Test, CancelAfter(120_000)]
    [TestCase("env -i", 2, "exec bash --norc -c '" + Empty + " HELLO & wait $!'")]
    [TestCase("python", 3, """
        exec python3 -c '
        import os, subprocess
        kept = { name: os.environ[name] for name in ("SAMPLE_STOP", "SAMPLE_DIR") }
        first = subprocess.Popen(["HELLO"], env=kept)
        second = os.posix_spawn("HELLO", ["hello"], kept)
        status = first.wait() + os.waitpid(second, 0)[1]
        os._exit(status)'
        """)]
    [TestCase("perl", 3, "exec perl -e '%ENV = (SAMPLE_STOP => $ENV{SAMPLE_STOP}, SAMPLE_DIR => $ENV{SAMPLE_DIR}); if (fork == 0) { exec \"HELLO\" } $status = system \"HELLO\"; wait; exit $status | $?'")]
    [TestCase("xargs", 4, "printf '1\\n2\\n3\\n' | " + Empty + " xargs -P 3 -I{} HELLO {} > /dev/null; exit ${PIPESTATUS[1]}")]
    [TestCase("make", 4, "printf 'all: a b c\\na b c:\\n\\tenv -i SAMPLE_STOP=$$SAMPLE_STOP SAMPLE_DIR=$$SAMPLE_DIR HELLO\\n' > Makefile; exec make -s -j 3")]
    [TestCase("daemon", 2, "( setsid " + Empty + " HELLO & ); " + Empty + " HELLO")]
    public async Task ProgramsStartedWithLittleEnvironment_SurviveRestart(string by, int members, string script, CancellationToken token)
    {
        Sample sample = new(by, "/bin/bash", "-c", script.Replace("HELLO", Built.Sample("hello"), StringComparison.Ordinal));
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForMembersAsync(seen => seen >= members, $"{members} members", token);

        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);

        Assert.That(report.Images.Count(image => image.Program == "hello"), Is.GreaterThanOrEqualTo(1), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>What a woken program starts belongs to the coordinator that has woken it.</summary>
    [Test, CancelAfter(120_000)]
    public async Task ProgramStartedAfterRestart_BelongsToTheNewCoordinator(CancellationToken token)
    {
        Sample sample = new("starts later", "/bin/bash", "-c", $"echo begins; until [ -e later ]; do sleep 0.1; done; {Empty} {Built.Sample("hello")}; exit $?");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("begins", token);
        CheckpointReport first = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        ComputationProcesses.KillOne(program.CoordinatorPid);
        await program.StartCoordinatorAsync(0, token);

        await program.RestartAsync([.. first.Images.Select(image => image.Path)], "/", token);
        await File.WriteAllTextAsync(Path.Combine(program.Work, "later"), "", token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport second = await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);

        Assert.That(second.Images.Select(image => image.Program), Is.EquivalentTo(new[] { "bash", "hello" }), program.Transcript.ToString());
        await program.AssertContentAsync(sample, token);
    }

    /// <summary>Nobody can keep a system call of the program's own apart from a checkpoint. With a signal that outlives execve a child of it is killed
    /// within some twenty checkpoints.</summary>
    [Test, CancelAfter(120_000)]
    public async Task AProgramThatExecutesPastLibc_IsNotKilledByACheckpoint(CancellationToken token)
    {
        const int Checkpoints = 80;
        Sample sample = new("exec-past-libc", "exec-past-libc");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        for (int i = 0; i < Checkpoints; i++) await program.CheckpointAsync(token);

        await program.AssertContentAsync(sample, token);
    }
}
