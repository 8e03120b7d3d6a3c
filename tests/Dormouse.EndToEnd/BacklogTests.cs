using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Connections that wait to be accepted: nobody can look at what is in them.</summary>
internal sealed class BacklogTests
{
    [Test, CancelAfter(60_000)]
    public async Task AServer_ThatNeverAccepts_IsNamed_AndGoesOn(CancellationToken token)
    {
        Sample sample = new("backlog-never", "backlog", "never");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        await CheckpointedProgram.RunForAsync(TimeSpan.FromMilliseconds(300), token);

        ToolResult checkpoint = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(checkpoint.ExitCode, Is.Not.EqualTo(0), $"{program.Transcript}");
        Assert.That(checkpoint.Errors, Does.Contain("has 1 connections waiting that the program does not accept"));
        Assert.That(checkpoint.Errors, Does.Contain("listening on 127.0.0.1:"));
        Assert.That(Directory.GetFiles(program.Images), Is.Empty, "nothing is left of the attempt");
        ToolResult status = await program.CommandAsync(token, "--status");
        Assert.That(status.Output, Does.Contain("NUM_PEERS=2").And.Contain("RUNNING=yes"));
        program.Passed();
    }
}
