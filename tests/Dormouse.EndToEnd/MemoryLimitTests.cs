using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Programs that have come to their limit of memory leave a checkpoint none.</summary>
internal sealed class MemoryLimitTests
{
    // What is there when it lowers its limit is all that it may have.
    private const string Program = """
        import os, resource, time
        print("begins", flush=True)
        while not os.path.exists("now"): time.sleep(0.01)
        kind = resource.RLIMIT_KIND
        used = int(open("/proc/self/statm").read().split()[0 if kind == resource.RLIMIT_AS else 5]) * 4096
        resource.setrlimit(kind, (used, HARD))
        limit = resource.getrlimit(kind)
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
        assert resource.getrlimit(kind) == limit, resource.getrlimit(kind)
        print("ok checksum 0000000000000000 steps 1", flush=True)
        """;

    [Test, CancelAfter(120_000)]
    public async Task ASoftLimit_IsRaisedForAMoment([Values("AS", "DATA")] string kind, CancellationToken token)
    {
        Sample sample = Limited(kind, "resource.getrlimit(kind)[1]");
        await using CheckpointedProgram program = await LaunchAsync(sample, token);

        for (int cycle = 0; cycle < 3; cycle++)
        {
            await program.CheckpointAsync(token);
            await program.KillAndRestartAsync(token);
        }

        await program.AssertContentAsync(sample, token);
    }

    [Test, CancelAfter(120_000)]
    public async Task AHardLimit_IsNamed_AndTheProgramGoesOn([Values("AS", "DATA")] string kind, CancellationToken token)
    {
        Sample sample = Limited(kind, "used");
        await using CheckpointedProgram program = await LaunchAsync(sample, token);

        ToolResult refused = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(refused.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(refused.Errors, Does.Contain("(python3): the program has reached the limit of its ").And.Contain($"prlimit --{(kind == "AS" ? "as" : "data")}=unlimited --pid"));
        await program.AssertContentAsync(sample, token);
    }

    private static Sample Limited(string kind, string hard)
        => new(kind, "/usr/bin/python3", "-c", Program.Replace("KIND", kind, StringComparison.Ordinal).Replace("HARD", hard, StringComparison.Ordinal));

    private static async Task<CheckpointedProgram> LaunchAsync(Sample sample, CancellationToken token)
    {
        CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("begins", token);
        await program.WaitForMembersAsync(seen => seen == 1, "one member", token);
        await File.WriteAllTextAsync(Path.Combine(program.Work, "now"), "", token);
        await program.WaitForOutputAsync("ready", token);
        return program;
    }
}
