using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>
/// A port whose connection has ended: the kernel keeps it for a minute (TIME_WAIT), unless a checkpoint has marked it for reuse. Of those that ended
/// before the first one, a restart as root takes it; another user's takes other ports, and the programs go on with those that they know.
/// </summary>
internal sealed class EndedConnectionTests
{
    private const string Port = "7801", Needed = "5656", Strangers = "5757";

    /// <summary>
    /// Listens without SO_REUSEADDR, closes a connection before its client does, and keeps another one; when the file is there both go on,
    /// the listener with a client in another process. argv: the port, the file.
    /// </summary>
    private const string Listen = """
        import os, socket, sys, time
        place = ("127.0.0.1", int(sys.argv[1]))
        one = socket.socket()
        one.bind(("", place[1]))
        one.listen()
        client = socket.create_connection(place)
        server, _ = one.accept()
        server.close()
        client.recv(1)
        client.close()
        near = socket.create_connection(place)
        far, _ = one.accept()
        names = near.getsockname(), near.getpeername(), far.getsockname(), far.getpeername(), one.getsockname()
        child = os.fork()
        if child != 0:
            print("ready", flush=True)
        while not os.path.exists(sys.argv[2]): time.sleep(0.05)
        if child == 0:
            late = socket.create_connection(place)
            assert late.getpeername() == place, late
            late.send(b"late")
            os._exit(0)
        late, _ = one.accept()
        assert late.recv(4) == b"late" and late.getsockname() == place, late
        near.send(b"kept")
        assert far.recv(4) == b"kept"
        now = near.getsockname(), near.getpeername(), far.getsockname(), far.getpeername(), one.getsockname()
        assert now == names, (now, names)
        assert os.waitpid(child, 0)[1] == 0
        """;

    /// <summary>
    /// Listens without SO_REUSEADDR; of one of its two connections the accepted end is closed first when it is killed, in whatever order that is.
    /// argv: the port, the file.
    /// </summary>
    private const string Keep = """
        import os, socket, sys, time
        one = socket.socket()
        one.bind(("127.0.0.1", int(sys.argv[1])))
        one.listen()
        first = socket.create_connection(one.getsockname())
        all = [one, first, one.accept()[0]]
        last = socket.create_connection(one.getsockname())
        os.dup2(last.fileno(), 100)
        last.close()
        all += [one.accept()[0], socket.socket(fileno=100)]
        print("ready", flush=True)
        while not os.path.exists(sys.argv[2]): time.sleep(0.05)
        now = [each.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) for each in all]
        assert now == [0] * 5, now
        """;

    [Test, CancelAfter(120_000)]
    public async Task ThePort_OfWhatACheckpointHasSeen_IsHadAtOnceByAnybody(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a");
        string images = Path.Combine(hosts.Shared, "images"), stop = Path.Combine(hosts.Shared, "stop");
        RunningProcess program = hosts.StartOn("a", "mouse", "dmlaunch", "-p", Port, "--ckptdir", images, "python3", "-c", Keep, Needed, stop);
        await Condition.WaitAsync("ready", () => (program.Output.Contains("ready", StringComparison.Ordinal), program.Errors), CheckpointedProgram.Deadline, token);
        await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--checkpoint");

        // The second time it ends before another checkpoint.
        for (int time = 0; time < 2; time++)
        {
            await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--quit");
            await program.ExitCodeAsync(token);
            Assert.That(await EndedAtAsync(hosts, Needed, token), Is.Positive, hosts.Transcript.ToString());
            program = hosts.StartOn("a", "mouse", "dmrestart", "--new-coordinator", "-p", Port, images);
            await hosts.WaitUntilRunningAsync("a", "mouse", Port, program, token);
            Assert.That(program.Errors, Does.Not.Contain("had to change"), hosts.Transcript.ToString());
        }

        await File.WriteAllTextAsync(stop, "", token);
        Assert.That(await program.ExitCodeAsync(token), Is.Zero, hosts.Transcript.ToString());
        hosts.Passed();
    }

    [Test, CancelAfter(120_000)]
    public async Task ThePort_IsHadAtOnceAsRoot_AndEvadedByOthers([Values("root", "mouse")] string user, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a");
        string images = Path.Combine(hosts.Shared, "images"), stop = Path.Combine(hosts.Shared, "stop");
        RunningProcess stranger = hosts.StartOn("a", "mouse", "python3", "-c", Listen, Strangers, stop);
        RunningProcess program = hosts.StartOn("a", user, "dmlaunch", "-p", Port, "--ckptdir", images, "python3", "-c", Listen, Needed, stop);
        foreach (RunningProcess one in new[] { stranger, program })
            await Condition.WaitAsync("ready", () => (one.Output.Contains("ready", StringComparison.Ordinal), one.Errors), CheckpointedProgram.Deadline, token);
        await hosts.RunOnAsync(token, "a", user, "dmcommand", "-p", Port, "--checkpoint");
        await hosts.RunOnAsync(token, "a", user, "dmcommand", "-p", Port, "--quit");
        await program.ExitCodeAsync(token);
        Assert.That(await EndedAtAsync(hosts, Needed, token), Is.Positive, hosts.Transcript.ToString());

        RunningProcess restart = hosts.StartOn("a", user, "dmrestart", "--new-coordinator", "-p", Port, images);
        await hosts.WaitUntilRunningAsync("a", user, Port, restart, token);
        bool hasChanged = restart.Errors.Contains("had to change: 0.0.0.0:" + Needed + " is at port", StringComparison.Ordinal);
        Assert.That(hasChanged, Is.EqualTo(user != "root"), hosts.Transcript.ToString());
        Assert.That(await EndedAtAsync(hosts, Needed, token), user == "root" ? Is.Zero : Is.Positive, hosts.Transcript.ToString());
        await File.WriteAllTextAsync(stop, "", token);
        Assert.That(await restart.ExitCodeAsync(token), Is.Zero, hosts.Transcript.ToString());
        Assert.That(await EndedAtAsync(hosts, Strangers, token), Is.EqualTo(1), "a port that nobody asked for: " + hosts.Transcript);
        hosts.Passed();
    }

    private static async Task<int> EndedAtAsync(HostGroup hosts, string port, CancellationToken token)
    {
        ToolResult found = await hosts.RunOnAsync(token, "a", "root", "ss", "-Hnt", "state", "time-wait", "sport", "=", ":" + port);
        return found.Output.Count(character => character == '\n');
    }
}
