using Dormouse.EndToEnd.Harness;
using Dormouse.EndToEnd.Samples;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>Commands that a computation starts on other hosts by ssh: they behave as with ssh alone, and belong to it.</summary>
internal sealed class RemoteCommandTests
{
    private const string Port = "7801";

    /// <summary>The same script without us and with us.</summary>
    private static readonly (string What, string Script)[] s_scripts =
    [
        ("output, errors and status", "ssh b 'echo out; echo err >&2; exit 5'"),
        ("input", "printf 'one\\ntwo\\n' | ssh b sort -r"),
        ("no input", "ssh -n b cat < /etc/hostname; ssh b cat < /dev/null"),
        ("much", "head -c 5000000 /dev/zero | ssh b cat | md5sum"),
        ("output that nobody reads", "ssh b yes | head -1"),
        ("options before and after the host", "ssh -x -o BatchMode=yes -l $USER -p22 b -q 'a=1; echo $a | cat; cd /; pwd' and more"),
        ("user@host, several words", "ssh $USER@b echo 'a  b' \\' c \\'"),
        ("IPv6", "ssh fd77::2 hostname"),
        ("through another host", "ssh -J c b hostname; ssh c ssh b hostname"),
        ("signal", "ssh b 'kill -9 $$'; echo $?"),
        ("unknown host", "ssh nowhere true; echo $?"),
        ("command not found", "ssh b /no/such/program 2>/dev/null; echo $?"),
        ("terminal", "ssh -tt b 'test -t 0 && test -t 1 && test -t 2 && echo at a terminal; echo $TERM; exit 4' < /dev/null; echo $?"),
        ("environment", "ssh b env | grep -v -e ^SSH_ | sort"),
        ("from a vfork child", "python3 -c 'import subprocess; print(subprocess.run([\"ssh\", \"b\", \"hostname\"], env={\"PATH\": \"/usr/bin:/bin\"}))'"),
        ("questions", "ssh -V; ssh -G b | grep ^hostname; ssh -Q kex | wc -l"),
        ("tunnel", "timeout 1 ssh -N -L 4711:localhost:22 b; echo $?"),
        ("what stays behind", "ssh b 'sleep 1000 > /dev/null 2>&1 < /dev/null & echo started'"),
    ];

    [Test, CancelAfter(120_000)]
    public async Task Ssh_BehavesAsAlways(CancellationToken token)
    {
        using Turn turn = await Turn.TakeAsync(Turn.PseudoTerminals, token);
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "c");
        hosts.Variables["TERM"] = "xterm";
        await hosts.RunOnAsync(token, "a", "mouse", "dmcoordinator", "--daemon", "-q", "-p", Port);

        foreach ((string what, string script) in s_scripts)
        {
            ToolResult plain = await hosts.RunOnAsync(token, "a", "mouse", "bash", "-c", script);
            ToolResult ours = await hosts.RunOnAsync(token, "a", "mouse", "dmlaunch", "-j", "-p", Port, "bash", "-c", script + "; exit $?");

            Assert.That(ours.Output, Is.EqualTo(plain.Output), $"{what}: {hosts.Transcript}");
            Assert.That(ours.Errors, Is.EqualTo(plain.Errors), $"{what}: {hosts.Transcript}");
            Assert.That(ours.ExitCode, Is.EqualTo(plain.ExitCode), $"{what}: {hosts.Transcript}");
        }

        hosts.Passed();
    }

    [Test, CancelAfter(60_000)]
    [TestCase("mouse"), TestCase("root")]
    public async Task RemoteCommand_BelongsToTheComputation_AndItsSecretStaysOne(string user, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b");
        RunningProcess program = hosts.StartOn("a", user, "dmlaunch", "-p", Port, "--ckptdir", hosts.Shared, "bash", "-c", "ssh b 'echo ready; sleep 1000'; true");
        await Condition.WaitAsync("ready", () => (program.Output.Contains("ready", StringComparison.Ordinal), program.Errors), CheckpointedProgram.Deadline, token);

        ToolResult secret = await hosts.RunOnAsync(token, "a", user, "sh", "-c", "sed 's/.*\"token\":\"\\([0-9a-f]*\\)\".*/\\1/' /tmp/dormouse-$(id -u)/default");
        ToolResult commandsHere = await hosts.RunOnAsync(token, "a", user, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
        ToolResult commandsThere = await hosts.RunOnAsync(token, "b", user, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
        ToolResult listening = await hosts.RunOnAsync(token, "a", user, "ss", "-Hltn", "sport", "=", Port);
        ToolResult checkpoint = await hosts.RunOnAsync(token, "a", user, "dmcommand", "-p", Port, "--checkpoint");

        Assert.That(secret.Output.Trim(), Has.Length.EqualTo(64), hosts.Transcript.ToString());
        Assert.That(commandsHere.Output + commandsThere.Output, Does.Contain("dormouse-relay").And.Not.Contain(secret.Output.Trim()), hosts.Transcript.ToString());
        Assert.That(listening.Output, Does.Not.Contain("0.0.0.0:" + Port).And.Not.Contain("*:" + Port), "it listens to the world");
        Assert.That(checkpoint.ExitCode, Is.Zero, hosts.Transcript.ToString());
        string[] programs = [.. Directory.GetFiles(hosts.Shared, "ckpt_*.img").Select(path => Path.GetFileName(path).Split('_')[1]).Order()];
        Assert.That(programs, Is.EqualTo(new[] { "bash", "bash", "dormouse-relay", "dormouse-relay", "sleep" }).Or.EqualTo(new[] { "bash", "dormouse-relay", "dormouse-relay", "sleep" }), hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <summary>What was ssh when the program slept is a relay when it wakes: streams and exit status arrive as if nothing had been.</summary>
    [Test, CancelAfter(60_000)]
    public async Task RemoteCommand_GoesOnAfterRestart(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a");
        string stop = Path.Combine(hosts.Shared, "stop");
        RunningProcess program = hosts.StartOn(
            "a", "mouse", "dmlaunch", "-p", Port, "--ckptdir", hosts.Shared, "bash", "-c",
            $"(echo one; until [ -e {stop} ]; do sleep 0.1; done; echo two) | ssh a 'cat; echo errors >&2; exit 6'; echo status ${{PIPESTATUS[1]}}");
        await Condition.WaitAsync("one", () => (program.Output.Contains("one", StringComparison.Ordinal), program.Errors), CheckpointedProgram.Deadline, token);

        ToolResult checkpoint = await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--checkpoint");
        await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--kill");
        await program.ExitCodeAsync(token);
        RunningProcess woken = hosts.StartOn("a", "mouse", ["dmrestart", "-q", "-j", "-p", Port, .. Directory.GetFiles(hosts.Shared, "ckpt_*.img")]);
        await File.WriteAllTextAsync(stop, "", token);
        await woken.ExitCodeAsync(token);

        Assert.That(checkpoint.Output, Does.Contain("dormouse-relay").And.Not.Contain(" ssh "), hosts.Transcript.ToString());
        Assert.That(woken.Output, Is.EqualTo("two\nstatus 6\n"), hosts.Transcript.ToString());
        Assert.That(woken.Errors, Does.Contain("errors\n"), hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <summary>In place of ssh: notes what is told to the remote side, which is played by <see cref="Stranger"/>.</summary>
    private const string FakeSsh = """
        #!/bin/sh
        echo dormouse-ssh-here 127.0.0.1
        while read -r line; do echo "$line"; [ "$line" = end ] && break; done > /tmp/request.new
        mv /tmp/request.new /tmp/request
        sleep 1000
        """;

    /// <summary>Connects first without the secret: silent, and with a wrong proof; then with the right one, and says what a command has printed.</summary>
    private const string Stranger = """
        import hashlib, hmac, os, socket, struct
        told = dict(line.split(" ", 1) for line in open("/tmp/request").read().splitlines() if " " in line)
        host, port = told["relay"].rsplit(":", 1)
        token, session, nonce = bytes.fromhex(told["token"]), bytes.fromhex(told["session"]), os.urandom(16)
        connect = lambda: socket.create_connection((host.strip("[]"), int(port)))
        prove = lambda key: nonce + hmac.new(key, b"client" + session + nonce + b"\2", hashlib.sha256).digest()
        silent = connect()
        wrong = connect()
        wrong.sendall(prove(bytes(32)))
        print("wrong", wrong.recv(1000))
        print("silent", silent.recv(1000))
        right = connect()
        right.sendall(prove(token))
        print("right", right.recv(1000) == hmac.new(token, b"server" + nonce + session, hashlib.sha256).digest())
        frame = lambda kind, payload: struct.pack("<I", kind | len(payload) << 8) + payload
        right.sendall(frame(2, b"said\n") + frame(4, struct.pack("<i", 3)))
        """;

    /// <summary>The connection between the two sides of a remote command is for who knows the secret.</summary>
    [Test, CancelAfter(60_000)]
    public async Task StrangerWhoConnects_IsSentAway(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a");
        string ssh = Path.Combine(hosts.Shared, "ssh"), request = Path.Combine(hosts.TemporaryDirectoryOf("a"), "request");
        await File.WriteAllTextAsync(ssh, FakeSsh, token);
        File.SetUnixFileMode(ssh, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        RunningProcess program = hosts.StartOn("a", "mouse", "dmlaunch", "-p", Port, "sh", "-c", $"PATH={hosts.Shared}:$PATH; ssh b true; echo status $?");
        await Condition.WaitAsync("the request", () => (File.Exists(request), program.Errors), CheckpointedProgram.Deadline, token);

        ToolResult stranger = await hosts.RunOnAsync(token, "a", "mouse", "python3", "-c", Stranger);
        await program.ExitCodeAsync(token);

        Assert.That(stranger.Output, Is.EqualTo("wrong b''\nsilent b''\nright True\n"), hosts.Transcript.ToString());
        Assert.That(program.Output, Is.EqualTo("said\nstatus 3\n"), hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <summary>The remote side must be able to connect to this one: it says so, and nobody waits for what will not come.</summary>
    [Test, CancelAfter(20_000)]
    public async Task CommandFromBehindARouter_IsRefusedAtOnce(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r");
        hosts.Variables["DORMOUSE_TOKEN"] = new string('7', 64);
        await hosts.RunOnAsync(token, "a", "mouse", "dmcoordinator", "--daemon", "-q", "--bind", "0.0.0.0", "-p", Port);

        ToolResult refused = await hosts.RunOnAsync(token, "x", "mouse", "dmlaunch", "-j", "-h", hosts.AddressOf("a"), "-p", Port, "sh", "-c", "ssh b hostname; echo $?");
        await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--quit");

        Assert.That(refused.Output, Is.EqualTo("255\n"), hosts.Transcript.ToString());
        Assert.That(refused.Errors, Does.StartWith("dmssh: b cannot connect back: "), hosts.Transcript.ToString());
        hosts.Passed();
    }

    [Test, CancelAfter(60_000)]
    public async Task HostWithoutDormouse_IsNamed(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b");
        // Below /tmp, which is each host's own.
        await hosts.RunOnAsync(token, "a", "mouse", "cp", "-a", Built.Build + "/bin", "/tmp/bin");
        await hosts.RunOnAsync(token, "a", "mouse", "sh", "-c", $"mkdir /tmp/lib; cp -a {Built.Build}/lib/dormouse /tmp/lib");

        ToolResult refused = await hosts.RunOnAsync(token, "a", "mouse", "/tmp/bin/dmlaunch", "-p", Port, "sh", "-c", "ssh b hostname; echo $?");
        ToolResult plain = await hosts.RunOnAsync(token, "a", "mouse", "/tmp/bin/dmlaunch", "-p", Port, "sh", "-c", "DORMOUSE_SSH=plain ssh b hostname; echo $?");

        Assert.That(refused.Output, Is.EqualTo("255\n"), hosts.Transcript.ToString());
        Assert.That(refused.Errors, Does.StartWith("dmssh: b has no Dormouse").And.Contain("DORMOUSE_SSH=plain"), hosts.Transcript.ToString());
        Assert.That(plain.Output, Is.EqualTo("b\n0\n"), hosts.Transcript.ToString());
        hosts.Passed();
    }

    [Test, CancelAfter(120_000)]
    [TestCase("openmpi", "--oversubscribe")]
    [TestCase("mpich", "-l")]
    public async Task MpiAcrossHosts_IsOneComputation(string mpi, string option, CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b");
        string stop = Path.Combine(hosts.Shared, "stop");
        hosts.Variables["SAMPLE_STOP"] = stop;
        RunningProcess program = hosts.StartOn(
            "a", "mouse", "dmlaunch", "-p", Port, "--ckptdir", hosts.Shared, $"mpirun.{mpi}", option, "-host", "a,b", "-np", "2", Built.Sample($"ring.{mpi}"));
        await Condition.WaitAsync("ready", () => (program.Output.Contains("ready", StringComparison.Ordinal), program.Errors), CheckpointedProgram.Deadline, token);

        ToolResult list = await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "-p", Port, "--list");
        await File.WriteAllTextAsync(stop, "", token);
        await HostsJob.EndAsync(hosts, program, mpi, token);

        Assert.That(list.Output.Split('\n').Count(line => line.Contains($" b ", StringComparison.Ordinal) && line.Contains($"ring.{mpi}", StringComparison.Ordinal)), Is.EqualTo(1), hosts.Transcript.ToString());
        Assert.That(program.Output, Does.Contain("ok checksum"), hosts.Transcript.ToString());
        hosts.Passed();
    }
}
