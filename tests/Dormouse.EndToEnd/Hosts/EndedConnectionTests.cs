using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>
/// A port whose connection ended before the first checkpoint, when nothing had marked it for reuse yet: the kernel keeps it for a minute
/// (TIME_WAIT). A restart as root ends that; another user's waits.
/// </summary>
internal sealed class EndedConnectionTests
{
    private const string Port = "7801", Needed = "5656", Strangers = "5757";

    /// <summary>Listens without SO_REUSEADDR, and closes a connection before its client does; argv: the port, a file that ends it.</summary>
    private const string Listen = """
        import os, socket, sys, time
        one = socket.socket()
        one.bind(("", int(sys.argv[1])))
        one.listen()
        client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        server, _ = one.accept()
        server.close()
        client.recv(1)
        client.close()
        print("ready", flush=True)
        while not os.path.exists(sys.argv[2]): time.sleep(0.05)
        """;

    [Test, CancelAfter(120_000)]
    public async Task ThePort_IsHadAtOnceAsRoot_AndWaitedForByOthers([Values("root", "mouse")] string user, CancellationToken token)
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
        Assert.That(await EndedAtAsync(hosts, Needed, token), Is.EqualTo(1), hosts.Transcript.ToString());

        RunningProcess restart = hosts.StartOn("a", user, "dmrestart", "--new-coordinator", "-p", Port, images);
        if (user == "root")
        {
            await hosts.WaitUntilRunningAsync("a", user, Port, restart, token);
            Assert.That(restart.Errors, Does.Not.Contain("waiting"), hosts.Transcript.ToString());
            Assert.That(await EndedAtAsync(hosts, Needed, token), Is.Zero, hosts.Transcript.ToString());
            await File.WriteAllTextAsync(stop, "", token);
            Assert.That(await restart.ExitCodeAsync(token), Is.Zero, hosts.Transcript.ToString());
        }
        else
        {
            await Condition.WaitAsync("it to wait", () => (restart.Errors.Contains("waiting, a minute at most, until the kernel releases 0.0.0.0:" + Needed, StringComparison.Ordinal), restart.Errors), CheckpointedProgram.Deadline, token);
        }

        Assert.That(await EndedAtAsync(hosts, Strangers, token), Is.EqualTo(1), "a port that nobody asked for: " + hosts.Transcript);
        hosts.Passed();
    }

    private static async Task<int> EndedAtAsync(HostGroup hosts, string port, CancellationToken token)
    {
        ToolResult found = await hosts.RunOnAsync(token, "a", "root", "ss", "-Hnt", "state", "time-wait", "sport", "=", ":" + port);
        return found.Output.Count(character => character == '\n');
    }
}
