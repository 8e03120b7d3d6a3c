using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Programs that were started by several dmlaunch commands under one coordinator.</summary>
internal sealed class ClientServerTests
{
    [Test, CancelAfter(120_000)]
    public async Task ServerAndClients_OfSeparateLaunches_SleepAndWakeTogether([Values("user", "root")] string mode, CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(
            mode == "root" ? RunMode.Root : RunMode.User, new Dictionary<string, string>(), token);
        string portFile = Path.Combine(program.Work, "port");
        RunningProcess server = program.LaunchAnother("server", Built.Sample("server"), portFile);
        await program.WaitForOutputAsync(server, "ready", token);
        foreach (string name in new[] { "client-1", "client-2" })
            await program.WaitForOutputAsync(program.LaunchAnother(name, Built.Sample("client"), portFile), "ready", token);
        await program.WaitForMembersAsync(members => members == 3, "3 processes", token);

        for (int cycle = 0; cycle < 5; cycle++)
        {
            await program.RunForRandomTimeAsync(token);
            await program.CheckpointAsync(token);
            await program.KillAndRestartAsync(token);
        }

        await program.RunForRandomTimeAsync(token);
        int exitCode = await program.ExitCodeAsync(token);
        Assert.That(exitCode, Is.Zero, program.Transcript.ToString());
        Assert.That(program.Program.Output.Split("ok checksum").Length - 1, Is.EqualTo(3), program.Transcript.ToString());
        program.Passed();
    }
}
