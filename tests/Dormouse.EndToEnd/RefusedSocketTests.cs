using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>Sockets that cannot come back are named at the checkpoint, and the program goes on.</summary>
internal sealed class RefusedSocketTests
{
    [TestCase("socket.AF_INET, socket.SOCK_RAW, 1", "raw socket")]
    [TestCase("socket.AF_PACKET, socket.SOCK_RAW, 0", "packet socket")]
    [TestCase("socket.AF_NETLINK, socket.SOCK_RAW, 0", "netlink socket")]
    [CancelAfter(60_000)]
    public async Task ASocketThatCannotComeBack_IsNamed(string kind, string name, CancellationToken token)
    {
        Sample sample = new("refused-socket", "/usr/bin/python3", "-c", $"import socket, time; s = socket.socket({kind}); print('ready', flush=True); time.sleep(100)");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.Root, token);
        await program.WaitForOutputAsync("ready", token);

        ToolResult checkpoint = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(checkpoint.ExitCode, Is.Not.Zero, $"{program.Transcript}");
        Assert.That(checkpoint.Errors, Does.Contain("(python3): fd 3 (socket:[").And.Contain($"cannot be restored yet: {name}. Close it"));
        ToolResult status = await program.CommandAsync(token, "--status");
        Assert.That(status.Output, Does.Contain("NUM_PEERS=1").And.Contain("RUNNING=yes"));
        program.Passed();
    }
}
