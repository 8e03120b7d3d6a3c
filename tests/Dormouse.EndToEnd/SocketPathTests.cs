using System.Globalization;
using System.Net.Sockets;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>The path of an AF_UNIX socket: another program may serve there while ours sleeps, or ours has left the directory it is relative to.</summary>
internal sealed class SocketPathTests
{
    private const string Script = """
        import os, socket, sys, time
        own = socket.socket(socket.AF_UNIX, int(sys.argv[1]))
        own.bind("own.socket")
        path = os.path.abspath("own.socket")
        os.chdir(sys.argv[2])
        if own.type == socket.SOCK_STREAM: own.listen()
        else:
            early = socket.socket(socket.AF_UNIX, own.type)
            early.connect(path)
            early.send(b"early")
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
        if own.type == socket.SOCK_DGRAM:
            assert own.recv(10) == b"early"
            early.send(b"late")
            assert own.recv(10) == b"late"
        client = socket.socket(socket.AF_UNIX, own.type)
        client.connect(path)
        client.send(b"hello")
        assert (own.accept()[0] if own.type == socket.SOCK_STREAM else own).recv(10) == b"hello"
        assert own.getsockname() == "own.socket" and os.getcwd() == os.path.abspath(sys.argv[2])
        print("ok")
        """;

    [TestCase(SocketType.Stream), TestCase(SocketType.Dgram), CancelAfter(60_000)]
    public async Task PathThatAnotherProgramServesNow_RefusesTheRestart(SocketType type, CancellationToken token)
    {
        Sample sample = SampleOf(type, ".");
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        string path = Path.Combine(program.Work, "own.socket");
        File.Delete(path);

        using (Socket stranger = new(AddressFamily.Unix, type, ProtocolType.Unspecified))
        {
            stranger.Bind(new UnixDomainSocketEndPoint(path));
            RunningProcess refused = program.StartRestart([.. report.Images.Select(image => image.Path)], "/");
            Assert.That(await refused.ExitCodeAsync(token), Is.EqualTo(125), program.Transcript.ToString());
            Assert.That(refused.Errors, Does.Match($@"\(python3\): fd 3 .* cannot be bound to {path} again: another program has a socket there\. Stop that program and run dmrestart again\."));
            Assert.That(File.Exists(path), "it is the stranger's");
        }

        await program.RestartAsync(token);
        await program.AssertContentAsync(sample, token);
    }

    [TestCase(SocketType.Stream), TestCase(SocketType.Dgram), CancelAfter(60_000)]
    public async Task PathRelativeToADirectoryThatWasLeft_IsWhereItWas(SocketType type, CancellationToken token)
    {
        await CheckpointedProgram.RunCyclesAsync(SampleOf(type, "/"), RunMode.User, cycles: 2, token);
    }

    private static Sample SampleOf(SocketType type, string directory)
        => new("path", "/usr/bin/python3", "-c", Script, ((int)type).ToString(CultureInfo.InvariantCulture), directory);
}
