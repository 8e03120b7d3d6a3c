using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.Hosts;

/// <summary>Connections between members of which each knows another address than the other has: a router translates them (NAT). They are
/// told from connections to the outside that look the same, and go on wherever their ends wake (docs/decisions/0024).</summary>
[Parallelizable(ParallelScope.None)]
internal sealed class TranslatedConnectionTests
{
    private const int Outside = 2;

    /// <summary>Also the other way round: then only the end that was found by the other one can connect to it.</summary>
    [Test, CancelAfter(120_000)]
    public async Task ConnectionsFromBehindARouter_GoOn(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r", "y~r");
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "a", "x", hosts.AddressOf("a"), "5555", "y", "b", token);

        await talkers.CheckpointAsync(Outside, token);
        await talkers.CheckpointAsync(Outside, token);
        await talkers.WakeAsync("a", "x", token);
        await talkers.CheckpointAsync(0, token);
        await talkers.WakeAsync("y", "b", token);
        await talkers.CheckpointAsync(0, token);
        await talkers.WakeOnHostsAsync("a,b", token);

        await talkers.EndAsync("reset", token);
        hosts.Passed();
    }

    [Test, CancelAfter(120_000)]
    public async Task ConnectionsToAPortThatARouterForwards_GoOn(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r");
        await hosts.FilterAsync("r", "add rule ip nat forward tcp dport 8000 dnat to 192.168.7.1:5555", token);
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "x", "b", "10.77.0.251", "8000", "a", "a", token);

        await talkers.CheckpointAsync(Outside, token);
        await talkers.WakeAsync("x", "b", token);

        await talkers.EndAsync("reset", token);
        hosts.Passed();
    }

    /// <summary>Without a router: the host itself sends them to another port.</summary>
    [Test, CancelAfter(60_000)]
    public async Task ConnectionsThatAHostRedirects_GoOn(CancellationToken token)
    {
        if (Environment.GetEnvironmentVariable("DORMOUSE_ALL_TESTS") != "1") Assert.Ignore("only with DORMOUSE_ALL_TESTS=1");
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b~r");
        await hosts.RunOnAsync(token, "a", "root", "nft", "table ip nat { chain c { type nat hook output priority -100; tcp dport 8000 redirect to :5555; }; }");
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "a", "a", hosts.AddressOf("a"), "8000", "a", "a", token);

        await talkers.CheckpointAsync(Outside, token);
        await talkers.WakeOnHostsAsync("a", token);

        await talkers.EndAsync("reset", token);
        hosts.Passed();
    }

    /// <summary>Connects to itself, and talks to itself from time to time.</summary>
    private const string Redirected = """
        import os, socket, time
        listener = socket.create_server(("", 5555))
        near = socket.create_connection(("10.77.0.1", 8000))
        far, _ = listener.accept()
        names = [near.getsockname(), near.getpeername(), far.getsockname(), far.getpeername()]
        far.sendall(b"first")
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
        near.sendall(b"second")
        print(near.recv(10), far.recv(10), names == [near.getsockname(), near.getpeername(), far.getsockname(), far.getpeername()], flush=True)
        """;

    [Test, CancelAfter(60_000)]
    public async Task AProcess_ThatIsRedirectedToItself_GoesOn(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b~r");
        string stop = hosts.Variables["SAMPLE_STOP"] = Path.Combine(hosts.Shared, "stop"), images = Path.Combine(hosts.Shared, "images");
        await hosts.RunOnAsync(token, "a", "root", "nft", "table ip nat { chain c { type nat hook output priority -100; tcp dport 8000 redirect to :5555; }; }");
        RunningProcess program = hosts.StartOn("a", "mouse", "dmlaunch", "--ckptdir", images, "python3", "-c", Redirected);
        await Condition.WaitAsync("ready", () => (program.Output.Contains("ready", StringComparison.Ordinal), program.Errors), CheckpointedProgram.Deadline, token);

        ToolResult checkpoint = await hosts.RunOnAsync(token, "a", "mouse", "dmcommand", "--kcheckpoint");
        await program.ExitCodeAsync(token);
        RunningProcess woken = hosts.StartOn("a", "mouse", "dmrestart", images);
        await File.WriteAllTextAsync(stop, "", token);
        await woken.ExitCodeAsync(token);

        Assert.That(checkpoint.Output + checkpoint.Errors, Does.Not.Contain("outside the computation"), hosts.Transcript.ToString());
        Assert.That(woken.Output, Is.EqualTo("b'first' b'second' True\n"), hosts.Transcript.ToString());
        hosts.Passed();
    }

    /// <summary>argv: what it is to say to the server of <see cref="Two"/>, always from the same port.</summary>
    private const string OneOfTwo = """
        import os, socket, sys, time
        one = socket.socket()
        one.bind(("", 6000))
        one.connect(("10.77.0.1", 5555))
        one.sendall(sys.argv[1].encode())
        names = [one.getsockname(), one.getpeername()]
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
        print(one.recv(100).decode(), names == [one.getsockname(), one.getpeername()], flush=True)
        """;

    private const string Two = """
        import os, socket, time
        listener = socket.create_server(("", 5555))
        print("listening", flush=True)
        both = [listener.accept()[0] for _ in range(2)]
        said = [one.recv(100).decode() for one in both]
        print("ready", flush=True)
        while not os.path.exists(os.environ["SAMPLE_STOP"]): time.sleep(0.01)
        for one, what in zip(both, said): one.sendall(b"answer to " + what.encode())
        time.sleep(0.5)
        """;

    /// <summary>Private networks may be alike: connections of which even the ports are the same.</summary>
    [Test, CancelAfter(60_000)]
    public async Task ConnectionsFromTheSameAddressOfTwoNetworks_AreToldApart(CancellationToken token)
    {
        const string Port = "7801";
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "x~r", "z~q");
        Assert.That(hosts.AddressOf("x"), Is.EqualTo(hosts.AddressOf("z")));
        string stop = hosts.Variables["SAMPLE_STOP"] = Path.Combine(hosts.Shared, "stop"), images = Path.Combine(hosts.Shared, "images");
        hosts.Variables["DORMOUSE_TOKEN"] = new string('7', 64);
        string[] coordinator = ["dmcoordinator", "--daemon", "-q", "--bind", "0.0.0.0", "-p", Port, "--ckptdir", images], there = ["-h", hosts.AddressOf("a"), "-p", Port];
        await hosts.RunOnAsync(token, "a", "mouse", coordinator);
        RunningProcess server = hosts.StartOn("a", "mouse", ["dmlaunch", "-j", .. there, "python3", "-c", Two]);
        await SaysAsync(server, "listening");
        RunningProcess[] clients = [.. hosts.Names.Skip(1).Select(name => hosts.StartOn(name, "mouse", ["dmlaunch", "-j", .. there, "python3", "-c", OneOfTwo, name]))];
        foreach (RunningProcess one in clients.Append(server)) await SaysAsync(one, "ready");

        ToolResult checkpoint = await hosts.RunOnAsync(token, "a", "mouse", ["dmcommand", .. there, "--checkpoint"]);
        await hosts.RunOnAsync(token, "a", "mouse", ["dmcommand", .. there, "--quit"]);
        foreach (RunningProcess one in clients.Append(server)) await one.ExitCodeAsync(token);
        await hosts.RunOnAsync(token, "a", "mouse", coordinator);
        RunningProcess[] woken = [.. hosts.Names.Select(name => hosts.StartOn(name, "mouse", ["dmrestart", .. there, "--only", name, images]))];
        await File.WriteAllTextAsync(stop, "", token);
        foreach (RunningProcess one in woken) await one.ExitCodeAsync(token);

        Assert.That(checkpoint.Output + checkpoint.Errors, Does.Not.Contain("outside the computation"), hosts.Transcript.ToString());
        Assert.That(woken.Skip(1).Select(one => one.Output), Is.EqualTo(new[] { "answer to x True\n", "answer to z True\n" }), hosts.Transcript.ToString());
        hosts.Passed();

        Task SaysAsync(RunningProcess process, string line)
            => Condition.WaitAsync(line, () => (process.Output.Contains(line + "\n", StringComparison.Ordinal), process.Errors), CheckpointedProgram.Deadline, token);
    }

    private static readonly (string Server, string Client)[] s_places = [("a", "x"), ("b", "y"), ("x", "a"), ("y", "b"), ("x", "y"), ("a", "b"), ("b", "b"), ("x", "x")];

    /// <summary>Everywhere, again and again.</summary>
    [Test, Explicit("takes minutes"), Category("soak"), CancelAfter(3_600_000)]
    public async Task Soak_TranslatedConnections(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r", "y~r");
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "a", "x", hosts.AddressOf("a"), "5555", "y", "b", token);
        Random random = new(1);
        for (int cycle = 0; cycle < Soak.Cycles(20); cycle++)
        {
            await Task.Delay(random.Next(1500), token);
            await talkers.CheckpointAsync(cycle == 0 ? Outside : 0, token);
            (string server, string client) = s_places[random.Next(s_places.Length)];
            await talkers.WakeAsync(server, client, token);
        }

        await talkers.EndAsync("reset", token);
        hosts.Passed();
    }

    /// <summary>A checkpoint alone changes nothing: also the connections to the outside are as they were.</summary>
    [Test, CancelAfter(60_000)]
    public async Task ACheckpoint_ChangesNothing(CancellationToken token)
    {
        await using HostGroup hosts = await HostGroup.StartAsync(token, "a", "b", "x~r", "y~r");
        TranslatedTalkers talkers = await TranslatedTalkers.LaunchAsync(hosts, "mouse", "a", "x", hosts.AddressOf("a"), "5555", "y", "b", token);

        await talkers.CheckpointAsync(Outside, token);

        await talkers.EndAsync("open", token);
        hosts.Passed();
    }
}
