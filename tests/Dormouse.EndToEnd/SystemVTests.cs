using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>System V objects belong to no process: whose they are is told by the numbers of their users, which are given again.</summary>
internal sealed class SystemVTests
{
    /// <summary>The queue is root's and cannot be read by the program, which has the number of the process that has used it.</summary>
    [Test, CancelAfter(60_000)]
    public async Task QueueOfAnEarlierProcessWithTheSameNumber_IsNotTheComputations(CancellationToken token)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("needs root");
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);
        string tool = $"{string.Join(' ', RunMode.User.Prefix)} {Path.GetDirectoryName(Built.Tool("dmlaunch"))}";
        string port = $"-p $(cat {Path.Combine(program.DirectoryPath, "port")})";
        // In a PID namespace of its own nobody else takes the number; times of queues are in seconds.
        string script = $$"""
            echo 499 > /proc/sys/kernel/ns_last_pid
            perl -e 'msgsnd(msgget(0, 0600), pack("l! a*", 1, "x"), 0) or die; print "queue of $$\n"'
            used=$(date +%s); until [ $(date +%s) -gt $((used + 2)) ]; do sleep 0.1; done
            echo 499 > /proc/sys/kernel/ns_last_pid
            {{tool}}/dmlaunch -j {{port}} sleep 1000 &
            echo "program $!"
            until {{tool}}/dmcommand {{port}} --list | grep -q sleep; do sleep 0.05; done
            {{tool}}/dmcommand {{port}} --checkpoint
            """;

        ToolResult result = await program.RunAsync("unshare", ["unshare", "--pid", "--ipc", "--fork", "--mount-proc", "bash", "-c", script], token);

        Assert.That(result.Output, Does.StartWith("queue of 500\nprogram 500\n"), program.Transcript.ToString());
        Assert.That(result.ExitCode, Is.Zero, program.Transcript.ToString());
        program.Passed();
    }

    [Test, CancelAfter(60_000)]
    public async Task UndoThatTheKernelMayHaveForgotten_RefusesTheCheckpoint(CancellationToken token)
    {
        const string Script = """
            $set = semget(0, 1, 01600); $SETVAL = 16; $SEM_UNDO = 010000;
            semop($set, pack("s!3", 0, 2, $SEM_UNDO)) or die; semctl($set, 0, $SETVAL, 1) or die;
            $| = 1; print "ready\n"; select(undef, undef, undef, 0.01) until -e $ENV{SAMPLE_STOP};
            semctl($set, 0, 0, 0); print "ok\n";
            """;
        Sample sample = new("undo", "/usr/bin/perl", "-e", Script);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain("with SEM_UNDO, and the set's values may have been set since"));
        await program.AssertContentAsync(sample, token);
    }
}
