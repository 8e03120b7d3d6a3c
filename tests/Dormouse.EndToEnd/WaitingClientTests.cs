using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>A connection that waits to be accepted comes back when the port of its client is in use at the restart, and both ends see the port that they know.</summary>
internal sealed class WaitingClientTests
{
    // The kernel lets connections to different servers share a port that it has chosen: with 51, IP_LOCAL_PORT_RANGE, it must choose that.
    private const string Script = """
        import os, socket, struct, sys, time
        def connect(server, port = 0):
            client = socket.socket()
            client.setsockopt(socket.IPPROTO_IP, 51, struct.pack("I", port << 16 | port))
            client.connect(server.getsockname())
            return client
        server, other = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        if sys.argv[1] == "shared":
            first = connect(other)
            client = connect(server, first.getsockname()[1])
            far = other.accept()[0]
            first.close()
            assert far.recv(1) == b""
            far.close()
        else:
            client = connect(server)
        name = client.getsockname()
        print("ready at", name[1], flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
        accepted, peer = server.accept()
        assert peer == accepted.getpeername() == client.getsockname() == name, (peer, accepted.getpeername(), client.getsockname(), name)
        assert client.getpeername() == accepted.getsockname() == server.getsockname()
        client.send(b"hello")
        client.close()
        assert accepted.recv(10) == b"hello" and accepted.recv(10) == b""
        accepted.close()
        print("ok")
        """;

    /// <summary>Another connection from the port has ended a moment ago, and was not marked for reuse.</summary>
    [Test, CancelAfter(60_000)]
    public async Task PortThatAnEndedConnectionHasToo(CancellationToken token)
        => await CheckpointedProgram.RunCyclesAsync(SampleOf("shared"), RunMode.User, cycles: 2, token);

    /// <summary>The program goes on after the checkpoint to its end, so that the kernel remembers the very connection.</summary>
    [Test, CancelAfter(60_000)]
    public async Task ConnectionThatHasEndedSinceTheCheckpoint(CancellationToken token)
    {
        Sample sample = SampleOf("alone");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        await program.CheckpointAsync(token);
        Assert.That(await program.ExitCodeAsync(token), Is.Zero);
        RunningProcess again = program.StartRestart(Directory.GetFiles(program.Images, "ckpt_*.img"), "/");
        Assert.That(await again.ExitCodeAsync(token), Is.Zero, program.Transcript.ToString());
        program.Passed();
    }

    [TestCase(true), TestCase(false), CancelAfter(60_000)]
    public async Task PortThatAStrangerHasNow(bool isUser, CancellationToken token)
    {
        Sample sample = SampleOf("alone");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, isUser ? RunMode.User : RunMode.Root, token);
        await program.WaitForOutputAsync("\n", token);
        int port = int.Parse(program.Program.Output.Split(' ')[^1], CultureInfo.InvariantCulture);
        await program.CheckpointAsync(token);
        await program.KillAsync(token);
        using (Socket stranger = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            stranger.Bind(new IPEndPoint(IPAddress.Loopback, port));
            stranger.Listen();
            await program.RestartAsync(token);
            await program.CheckpointAsync(token);
            await program.KillAndRestartAsync(token);
            await program.AssertContentAsync(sample, token);
        }
    }

    private static Sample SampleOf(string kind) => new("waiting-client", "/usr/bin/python3", "-c", Script, kind);
}
