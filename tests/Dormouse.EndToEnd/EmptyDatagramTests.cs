using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>The kernel shows an empty datagram to the first look only: recvmsg(2) with MSG_PEEK.</summary>
internal sealed class EmptyDatagramTests
{
    private const string Script = """
        import os, socket, sys, time
        def make(name):
            made = socket.socket(socket.AF_INET if sys.argv[1] == "udp" else socket.AF_UNIX, socket.SOCK_DGRAM)
            made.bind(("127.0.0.1", 0) if sys.argv[1] == "udp" else os.environ["SAMPLE_DIR"] + "/" + name)
            return made
        receiver, senders = make("receiver"), [make("first"), make("second")]
        sent = [(0, b""), (0, b"a"), (1, b""), (0, b"a"), (1, b""), (0, b"")]
        if sys.argv[1] == "shared":
            sent.pop(0) # an empty one in front would be seen by everybody
        for sender, data in sent:
            senders[sender].sendto(data, receiver.getsockname())
        other = os.fork() if sys.argv[1] == "shared" else None
        if other != 0:
            print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]):
            time.sleep(0.01)
        if other == 0:
            os._exit(0)
        receiver.setblocking(False)
        for sender, data in sent:
            got, expected = receiver.recvfrom(100), (data, senders[sender].getsockname())
            assert got == expected, f"{got} came, not {expected}"
        try:
            sys.exit(f"{receiver.recvfrom(100)} came, too")
        except BlockingIOError:
            print("ok", flush=True)
        """;

    private static Sample Of(string kind) => new($"empty-{kind}", "/usr/bin/python3", "-c", Script, kind);

    [Test, CancelAfter(120_000)]
    public async Task EmptyDatagrams_OfUdp_SurviveASecondCheckpoint(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(Of("udp"), RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);

        await program.CheckpointAsync(token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        await program.CheckpointAsync(token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);

        await program.AssertContentAsync(Of("udp"), token);
    }

    [TestCase("unix"), TestCase("shared"), CancelAfter(120_000)]
    public async Task EmptyDatagrams_OfUnixSockets_SurviveARestart_AndRefuseASecondCheckpoint(string kind, CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(Of(kind), RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        await program.CheckpointAsync(token);
        await program.KillAndRestartAsync(token);
        await program.CheckpointAsync(token);

        ToolResult second = await program.TryCommandAsync(token, "--checkpoint");

        Assert.That(second.ExitCode, Is.EqualTo(1), program.Transcript.ToString());
        Assert.That(second.Errors, Does.Contain("has received an empty datagram that something has looked at already"));
        await program.KillAndRestartAsync(token);
        await program.AssertContentAsync(Of(kind), token);
    }
}
