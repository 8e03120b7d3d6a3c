using System.Net.Sockets;
using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd;

/// <summary>While a program sleeps, another one may serve at the path of its socket: that is not taken from it.</summary>
internal sealed class SocketPathTests
{
    [TestCase(SocketType.Stream), TestCase(SocketType.Dgram), CancelAfter(60_000)]
    public async Task PathThatAnotherProgramServesNow_RefusesTheRestart(SocketType type, CancellationToken token)
    {
        const string Script = """
            import os, socket, sys, time
            own = socket.socket(socket.AF_UNIX, int(sys.argv[1]))
            own.bind("own.socket")
            if own.type == socket.SOCK_STREAM: own.listen()
            print("ready", flush=True)
            while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
            client = socket.socket(socket.AF_UNIX, own.type)
            client.connect("own.socket")
            client.send(b"hello")
            print("ok" if (own.accept()[0] if own.type == socket.SOCK_STREAM else own).recv(10) == b"hello" else "lost")
            """;
        Sample sample = new("path", "/usr/bin/python3", "-c", Script, ((int)type).ToString(System.Globalization.CultureInfo.InvariantCulture));
        await using CheckpointedProgram program = await CheckpointedProgram.LaunchAsync(sample, RunMode.User, token);
        await program.WaitForOutputAsync("ready", token);
        CheckpointReport report = await program.CheckpointAsync(token);
        await program.KillAsync(token);
        UnixDomainSocketEndPoint path = new(Path.Combine(program.Work, "own.socket"));
        File.Delete(path.ToString());

        using (Socket stranger = new(AddressFamily.Unix, type, ProtocolType.Unspecified))
        {
            stranger.Bind(path);
            RunningProcess refused = program.StartRestart([.. report.Images.Select(image => image.Path)], "/");
            Assert.That(await refused.ExitCodeAsync(token), Is.EqualTo(125), program.Transcript.ToString());
            Assert.That(refused.Errors, Does.Match(@"\(python3\): fd 3 .* cannot be bound to own\.socket again: another program has a socket there\. Stop that program and run dmrestart again\."));
            Assert.That(File.Exists(path.ToString()), "it is the stranger's");
        }

        await program.RestartAsync(token);
        await program.AssertContentAsync(sample, token);
    }
}
