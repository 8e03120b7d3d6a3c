using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>RLIMIT_NOFILE where an ordinary user cannot go above it. What works is the sample open-file-limit.</summary>
internal sealed class OpenFileLimitTests
{
    [Test, CancelAfter(60_000)]
    public async Task HardLimitBelowAnOpenDescriptor_RefusesTheCheckpoint(CancellationToken token)
    {
        // ulimit lowers both limits; the shell runs on.
        Sample sample = new("bash", "/bin/bash", "-c", "exec 100</dev/null; ulimit -n 60; echo ready; until [ -e $SAMPLE_STOP ]; do read -t 0.01 <> <(:); done; true");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain("cannot look at fd 100").And.Contain("hard limit of open files to 60"));
        await program.AssertContentAsync(sample, token);
    }

    [Test, CancelAfter(60_000)]
    public async Task RestartBelowAnOpenDescriptor_IsRefused(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync("open-file-limit", token);
        await program.WaitForOutputAsync("ready", token);
        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        string[] restart = [.. RunMode.User.Prefix, "prlimit", "--nofile=510", Built.Tool("dmrestart"), "--new-coordinator", .. Directory.GetFiles(program.Images, "ckpt_*.img")];

        ToolResult refused = await program.RunAsync("dmrestart", restart, token);

        Assert.That(refused.ExitCode, Is.Not.Zero, program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain("has fd 501 open, and your hard limit of open files is 510"));
        program.Passed();
    }

    [Test, CancelAfter(60_000)]
    public async Task RestartWithALowerLimit_SaysSo(CancellationToken token)
    {
        Sample sample = new("hello", "hello");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        await File.WriteAllTextAsync(program.StopFile, "", token);
        string[] restart = [.. RunMode.User.Prefix, "prlimit", "--nofile=300", Built.Tool("dmrestart"), "--new-coordinator", .. Directory.GetFiles(program.Images, "ckpt_*.img")];

        ToolResult woken = await program.RunAsync("dmrestart", restart, token);

        Assert.That(woken.ExitCode, Is.Zero, program.Transcript.ToString());
        Assert.That(woken.Errors, Does.Match("RLIMIT_NOFILE was [0-9a-z]+ and is 300 here"));
        program.Passed();
    }
}
