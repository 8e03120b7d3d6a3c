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

    [TestCase(true), TestCase(false), CancelAfter(60_000)]
    public async Task KeysOfASocket_AreSaidToBeLost(bool hasKeys, CancellationToken token)
    {
        string script = $$"""
            import os, socket, struct, time
            s = socket.socket()
            if {{(hasKeys ? "True" : "False")}}: s.setsockopt(6, 14, struct.pack("HH4s120sBBHI80s", 2, 0, bytes([127, 0, 0, 1]), b"", 0, 0, 3, 0, b"key"))
            s.bind(("127.0.0.1", 0)); s.listen()
            print("ready", flush=True)
            while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
            print("ok")
            """;
        Sample sample = new("keys", "/usr/bin/python3", "-c", script);
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        CheckpointReport report = await program.CheckpointAsync(token);

        Assert.That(report.Images.Single().Losses, hasKeys ? Has.One.Matches("fd 3 .*TCP_MD5SIG.* lost at a restart$") : Is.Empty, $"{program.Transcript}");
        await program.AssertContentAsync(sample, token);
    }
}
