using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Dormouse.ToolTests;

/// <summary>How tools find, start and lose coordinators.</summary>
internal sealed class CoordinatorTests
{
    private Tools _tools = null!;

    [SetUp]
    public void SetUp() => _tools = new Tools();

    [TearDown]
    public void TearDown() => _tools.Dispose();

    [Test, CancelAfter(30_000)]
    public async Task AStartedCoordinator_IsFoundByCommands_AndLeavesNothingBehind(CancellationToken token)
    {
        string portFile = Path.Combine(_tools.Home, "port");
        ToolResult launched = await _tools.RunAsync(token, "dmlaunch", "-p", "0", "--port-file", portFile, "-i", "77", "sh", "-c", "exit 9");
        string port = (await File.ReadAllTextAsync(portFile, token)).Trim();

        ToolResult status = await _tools.RunAsync(token, "dmcommand", "--status");
        ToolResult quit = await _tools.RunAsync(token, "dmcommand", "-p", port, "--quit");

        Assert.That(launched.ExitCode, Is.EqualTo(9), launched.Error);
        Assert.That(status.Output, Does.Contain($"  Port: {port}\n").And.Contain("NUM_PEERS=").And.Contain("RUNNING=").And.Contain("CKPT_INTERVAL=77\n"));
        Assert.That(quit.ExitCode, Is.Zero, quit.Error);
        await Tools.WaitAsync("the record to be removed", () => Task.FromResult(!File.Exists(Record(port))), token);
    }

    [Test, CancelAfter(30_000)]
    public async Task WithoutACoordinator_CommandsSaySo(CancellationToken token)
    {
        ToolResult status = await _tools.RunAsync(token, "dmcommand", "--status");
        ToolResult join = await _tools.RunAsync(token, "dmlaunch", "--join-coordinator", "true");

        Assert.That(status.ExitCode, Is.EqualTo(3));
        Assert.That(join.ExitCode, Is.EqualTo(3));
    }

    [Test, CancelAfter(30_000)]
    public async Task ACheckpoint_WithoutProcesses_HasAnExitCodeOfItsOwn(CancellationToken token)
    {
        await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", "0");

        ToolResult checkpoint = await _tools.RunAsync(token, "dmcommand", "--checkpoint");

        Assert.That(checkpoint.ExitCode, Is.EqualTo(4));
        Assert.That(checkpoint.Error, Does.Contain("No process is attached"));
    }

    [Test, CancelAfter(60_000)]
    public async Task PeriodicCheckpoints_KeepSoManyGenerations(CancellationToken token)
    {
        using Process program = _tools.Start([], Tools.PathOf("dmlaunch"), "--new-coordinator", "-i", "1", "--keep", "3", "--ckptdir", Path.Combine(_tools.Home, "made", "by", "dmlaunch"), "sleep", "1000");
        int generation = 0;
        await Tools.WaitAsync("the fifth generation", async () =>
        {
            ToolResult status = await _tools.RunAsync(token, "dmcommand", "--status", "--json");
            if (status.ExitCode == 0) generation = JsonDocument.Parse(status.Output).RootElement.GetProperty("generation").GetInt32();
            return generation >= 5;
        }, token);

        ToolResult never = await _tools.RunAsync(token, "dmcommand", "--interval", "0");
        ToolResult last = await _tools.RunAsync(token, "dmcommand", "--checkpoint", "--json");
        generation = JsonDocument.Parse(last.Output).RootElement.GetProperty("generation").GetInt32();
        string[] archives = [.. Directory.GetDirectories(Path.Combine(_tools.Home, "made", "by", "dmlaunch")).Select(path => Path.GetFileName(path)!).Order()];

        Assert.That(never.ExitCode, Is.Zero, never.Error);
        Assert.That(archives, Is.EqualTo(new[] { $"generation-{generation - 2}", $"generation-{generation - 1}" }));
    }

    /// <summary>A process says hello a moment after its main() has begun.</summary>
    [Test, CancelAfter(60_000)]
    public async Task ACheckpoint_RightAfterTheFirstLine_WaitsForTheProcessToJoin(CancellationToken token)
    {
        await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", "0");
        for (int time = 0; time < 10; time++)
        {
            using Process program = _tools.Start([], Tools.PathOf("dmlaunch"), "sh", "-c", "echo up; exec sleep 1000");
            await program.StandardOutput.ReadLineAsync(token);

            ToolResult checkpoint = await _tools.RunAsync(token, "dmcommand", "--checkpoint");
            ToolResult kill = await _tools.RunAsync(token, "dmcommand", "--kill");

            Assert.That(checkpoint.ExitCode, Is.Zero, checkpoint.Error);
            Assert.That(kill.ExitCode, Is.Zero, kill.Error);
            await program.WaitForExitAsync(token);
        }
    }

    /// <summary>--kill reaches a program that has been launched and has not joined yet.</summary>
    [Test, CancelAfter(60_000)]
    public async Task AKill_RightAfterTheFirstLine_EndsTheProcess(CancellationToken token)
    {
        await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", "0");
        for (int time = 0; time < 10; time++)
        {
            using Process program = _tools.Start([], Tools.PathOf("dmlaunch"), "sh", "-c", "echo up; exec sleep 1000");
            await program.StandardOutput.ReadLineAsync(token);

            ToolResult kill = await _tools.RunAsync(token, "dmcommand", "--kill");

            Assert.That(kill.ExitCode, Is.Zero, kill.Error);
            await program.WaitForExitAsync(token);
        }
    }

    [Test, CancelAfter(30_000)]
    public async Task APortTakenBySomethingElse_IsLeftAlone(CancellationToken token)
    {
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        string port = ((IPEndPoint)other.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);

        ToolResult asked = await _tools.RunAsync(token, "dmlaunch", "-p", port, "true");

        Assert.That(asked.ExitCode, Is.EqualTo(125));
        Assert.That(asked.Error, Does.Contain($"Port {port} is taken"));
    }

    [Test, CancelAfter(30_000)]
    public async Task ACoordinatorOfAnotherUser_IsNeverJoined(CancellationToken token)
    {
        await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", "0");
        string port = Default().GetProperty("port").GetInt32().ToString(CultureInfo.InvariantCulture);
        Dictionary<string, string?> stranger = new() { ["DORMOUSE_RUNTIME_DIR"] = Path.Combine(_tools.Home, "other"), ["DORMOUSE_TOKEN"] = new string('0', 64) };

        ToolResult status = await _tools.RunInAsync(token, stranger, "dmcommand", "-p", port, "--status");
        ToolResult launch = await _tools.RunInAsync(token, stranger, "dmlaunch", "-p", port, "true");

        Assert.That(status.ExitCode, Is.EqualTo(6), status.Error);
        Assert.That(launch.ExitCode, Is.EqualTo(125), launch.Error);
    }

    [Test, CancelAfter(60_000)]
    public async Task ACoordinatorThatDied_IsReplaced_AndItsProcessesComeBack(CancellationToken token)
    {
        await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", "0");
        using Process program = _tools.Start([], Tools.PathOf("dmlaunch"), "sleep", "1000");
        await Tools.WaitAsync("the program to join", async () => await _tools.PeersAsync(token) == 1, token);
        JsonElement before = Default();
        using (Process coordinator = Process.GetProcessById(before.GetProperty("pid").GetInt32())) coordinator.Kill();
        string port = before.GetProperty("port").GetInt32().ToString(CultureInfo.InvariantCulture);
        ToolResult alone = await _tools.RunAsync(token, "dmcommand", "--status");

        ToolResult started = await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", port);
        await Tools.WaitAsync("the program to come back", async () => await _tools.PeersAsync(token) == 1, token);
        ToolResult kill = await _tools.RunAsync(token, "dmcommand", "--kill");

        Assert.That(alone.ExitCode, Is.EqualTo(3));
        Assert.That(started.ExitCode, Is.Zero, started.Error);
        Assert.That(Default().GetProperty("token").GetString(), Is.EqualTo(before.GetProperty("token").GetString()));
        Assert.That(Default().GetProperty("computation").GetString(), Is.EqualTo(before.GetProperty("computation").GetString()));
        Assert.That(kill.ExitCode, Is.Zero, kill.Error);
        await program.WaitForExitAsync(token);
        Assert.That(program.ExitCode, Is.EqualTo(137));
    }

    [Test, CancelAfter(30_000)]
    public async Task Records_AreForTheirOwnerOnly(CancellationToken token)
    {
        await _tools.RunAsync(token, "dmcoordinator", "--daemon", "-q", "-p", "0");

        string record = Directory.GetFiles(_tools.RuntimeDirectory, "coordinator-*.json").Single();

        Assert.That((int)File.GetUnixFileMode(record), Is.EqualTo(0x180));
        Assert.That((int)File.GetUnixFileMode(_tools.RuntimeDirectory), Is.EqualTo(0x1C0));
    }

    [TestCase("dmlaunch")]
    [TestCase("dmcommand")]
    [TestCase("dmcoordinator")]
    [TestCase("dmrestart")]
    [CancelAfter(20_000)]
    public async Task Help_Teaches(string tool, CancellationToken token)
    {
        ToolResult help = await _tools.RunAsync(token, tool, "--help");

        Assert.That(help.ExitCode, Is.Zero, help.Error);
        Assert.That(help.Output, Does.StartWith($"usage: {tool} "));
        Assert.That(help.Output.Split('\n').Max(line => line.Length), Is.LessThanOrEqualTo(120));
    }

    private JsonElement Default() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_tools.RuntimeDirectory, "default"))).RootElement;

    private string Record(string port) => Path.Combine(_tools.RuntimeDirectory, $"coordinator-{port}.json");
}
