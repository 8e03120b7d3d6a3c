using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dormouse.EndToEnd.Harness;
using NUnit.Framework;

namespace Dormouse.EndToEnd.External;

/// <summary>TCP connections to peers outside of the computation, on this host, with --keep-external-tcp.</summary>
internal sealed class KeptConnectionTests
{
    private static readonly string s_conversation = Path.Combine(Built.Root, "tests", "Dormouse.EndToEnd", "External", "conversation.py");

    /// <summary>Half closed either way, with everything unread, with full buffers: conversation.py.</summary>
    [TestCase("127.0.0.1", "127.0.0.1", "root"), TestCase("::1", "::1", "root-no-pod"), TestCase("::", "127.0.0.1", "root"), CancelAfter(120_000)]
    public async Task EveryState_WakesAsItWas(string listens, string connects, string mode, CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(
            mode == "root" ? RunMode.Root : RunMode.RootNoPod, new Dictionary<string, string>(), token);
        string port = FreePort(), go = Path.Combine(program.Work, "go");
        RunningProcess server = program.LaunchAnother("server", "/usr/bin/python3", s_conversation, "server", listens, port, go);
        await program.WaitForOutputAsync(server, "listening", token);
        using RunningProcess client = StartOutside(program, "client", s_conversation, "client", connects, port, go);
        await program.WaitForOutputAsync(server, "ready", token);
        await program.WaitForOutputAsync(client, "ready", token);

        for (int nap = 0; nap < 2; nap++)
        {
            await SleepAsync(program, token);
            await program.RestartAsync(token);
        }

        await File.WriteAllTextAsync(go, "", token);
        int clientEnd = await client.ExitCodeAsync(token), serverEnd = await program.ExitCodeAsync(token);
        Assert.That((clientEnd, serverEnd), Is.EqualTo((0, 0)), program.Transcript.ToString());
        program.Passed();
    }

    /// <summary>Without root nothing of it is possible: as without the option, and said so.</summary>
    [Test, CancelAfter(60_000)]
    public async Task AsOrdinaryUser_TheProgramSeesAReset(CancellationToken token)
    {
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.User, new Dictionary<string, string>(), token);
        string port = FreePort(), go = Path.Combine(program.Work, "go");
        RunningProcess server = program.LaunchAnother("server", "/usr/bin/python3", s_conversation, "server", "127.0.0.1", port, go);
        await program.WaitForOutputAsync(server, "listening", token);
        using RunningProcess client = StartOutside(program, "client", s_conversation, "client", "127.0.0.1", port, go);
        await program.WaitForOutputAsync(server, "ready", token);

        ToolResult misused = await program.TryCommandAsync(token, "--checkpoint", "--keep-external-tcp");
        ToolResult sleep = await program.CommandAsync(token, "--kcheckpoint", "--keep-external-tcp");
        await program.WaitForMembersAsync(members => members == 0, "the end of all", token);
        await program.RestartAsync(token);
        await File.WriteAllTextAsync(go, "", token);
        int serverEnd = await program.ExitCodeAsync(token);

        Assert.That(misused.ExitCode, Is.EqualTo(2), program.Transcript.ToString());
        Assert.That(sleep.Output, Does.Contain("cannot be kept: the process is not root's (CAP_NET_ADMIN); after a restart the program sees a connection reset"), program.Transcript.ToString());
        Assert.That(serverEnd, Is.Not.Zero, program.Transcript.ToString());
        Assert.That(program.Program.Errors, Does.Contain("ConnectionResetError"), program.Transcript.ToString());
        program.Passed();
    }

    /// <summary>The connections are held back already when somebody dies: the others run on, and so do their clients.</summary>
    [TestCase("member", "Write"), TestCase("coordinator", "Write"), TestCase("coordinator", "Commit"), CancelAfter(120_000)]
    public async Task WhenTheCheckpointFails_TheClientGoesOn(string victim, string phase, CancellationToken token)
    {
        if (!File.Exists(RedisClient.Server)) Assert.Ignore($"needs {RedisClient.Server} (redis-tools)");
        Dictionary<string, string> fault = new() { ["DORMOUSE_FAULT"] = $"{victim}@{phase}" };
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.Root, fault, token);
        (RunningProcess server, string port) = await StartRedisAsync(program, token);
        // The last to come is the one that dies.
        await program.WaitForOutputAsync(program.LaunchAnother("other", Built.Sample("hello")), "ready", token);
        string stop = Path.Combine(program.Work, "client-stop");
        using RunningProcess process = StartOutside(program, "client", RedisClient.Script, "127.0.0.1", port, stop);
        RedisClient client = new(process, stop, program.Failure);
        await client.WaitForMoreAsync(token);

        ToolResult failed = await program.TryCommandAsync(token, "--kcheckpoint", "--keep-external-tcp");

        Assert.That(failed.ExitCode, Is.Not.Zero, program.Transcript.ToString());
        await client.WaitForMoreAsync(token, server);
        await client.FinishAsync(token);
        program.Passed();
    }

    /// <summary>At moments that nobody has chosen, one nap after the other, with three clients.</summary>
    [Test, Explicit("a minute"), CancelAfter(600_000)]
    public async Task ManyNaps_AtAnyMoment(CancellationToken token)
    {
        if (!File.Exists(RedisClient.Server)) Assert.Ignore($"needs {RedisClient.Server} (redis-tools)");
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.Root, new Dictionary<string, string>(), token);
        (_, string port) = await StartRedisAsync(program, token);
        string stop = Path.Combine(program.Work, "client-stop");
        RunningProcess[] processes = [.. Enumerable.Range(1, 3).Select(number => StartOutside(program, $"client-{number}", RedisClient.Script, "127.0.0.1", port, stop))];
        RedisClient[] clients = [.. processes.Select(process => new RedisClient(process, stop, program.Failure))];
        foreach (RedisClient client in clients) await client.WaitForMoreAsync(token);

        for (int nap = 0; nap < 30; nap++)
        {
            await program.RunForRandomTimeAsync(token);
            await SleepAsync(program, token);
            await program.RestartAsync(token);
            foreach (RedisClient client in clients) await client.WaitForMoreAsync(token, program.Program);
        }

        foreach (RedisClient client in clients) await client.FinishAsync(token);
        foreach (RunningProcess process in processes) process.Dispose();
        program.Passed();
    }

    /// <summary>nginx as it comes: its workers have given up root. A download by curl, which makes no second try.</summary>
    [Test, Explicit("needs nginx and curl"), CancelAfter(120_000)]
    public async Task DownloadFromNginx_GoesOn(CancellationToken token)
    {
        if (!File.Exists("/usr/sbin/nginx") || !File.Exists("/usr/bin/curl")) Assert.Ignore("needs nginx and curl");
        await using CheckpointedProgram program = await CheckpointedProgram.StartCoordinatorAsync(RunMode.Root, new Dictionary<string, string>(), token);
        string port = FreePort(), work = program.Work, settings = Path.Combine(work, "nginx.conf"), file = Path.Combine(work, "file"), got = Path.Combine(work, "got");
        byte[] bytes = new byte[100 << 20];
        Random.Shared.NextBytes(bytes);
        await File.WriteAllBytesAsync(file, bytes, token);
        await File.WriteAllTextAsync(settings,
            $"worker_processes 2; pid {work}/pid; error_log {work}/log; events {{}} http {{ access_log off; server {{ listen {port}; location / {{ root {work}; }} }} }}", token);
        foreach (string directory in new[] { program.DirectoryPath, work }) File.SetUnixFileMode(directory, (UnixFileMode)0b111_101_101);
        program.LaunchAnother("nginx", "/usr/sbin/nginx", "-c", settings, "-g", "daemon off;");
        await program.WaitForMembersAsync(members => members == 3, "nginx and its workers", token);
        using RunningProcess curl = RunningProcess.Start(
            "curl", ["/usr/bin/curl", "-sS", "--limit-rate", "20M", $"http://127.0.0.1:{port}/file", "-o", got], new Dictionary<string, string>(), "/", program.Transcript);
        await Condition.WaitAsync("the download to begin", () => (File.Exists(got) && new FileInfo(got).Length > 0, "nothing"), CheckpointedProgram.Deadline, token);

        for (int nap = 0; nap < 3; nap++)
        {
            long before = new FileInfo(got).Length;
            await SleepAsync(program, token);
            await program.RestartAsync(token);
            await Condition.WaitAsync("more of the file", () => (new FileInfo(got).Length > before, $"{before} bytes"), CheckpointedProgram.Deadline, token);
        }

        Assert.That(curl.HasExited, Is.False, "the download should take longer than this");
        Assert.That(await curl.ExitCodeAsync(token), Is.Zero, program.Transcript.ToString());
        byte[] downloaded = await File.ReadAllBytesAsync(got, token);
        Assert.That(downloaded.AsSpan().SequenceEqual(bytes), Is.True, program.Transcript.ToString());
        program.Passed();
    }

    private static async Task<(RunningProcess Server, string Port)> StartRedisAsync(CheckpointedProgram program, CancellationToken token)
    {
        string port = FreePort(), redis = Path.Combine(program.Work, "redis-server");
        File.CreateSymbolicLink(redis, RedisClient.Server);
        RunningProcess server = program.LaunchAnother("redis", redis, "--port", port, "--save", "");
        await program.WaitForOutputAsync(server, "Ready to accept connections", token);
        return (server, port);
    }

    private static async Task SleepAsync(CheckpointedProgram program, CancellationToken token)
    {
        ToolResult sleep = await program.CommandAsync(token, "--kcheckpoint", "--keep-external-tcp");
        Assert.That(sleep.Output, Does.Not.Contain("outside the computation"), program.Transcript.ToString());
        await program.WaitForMembersAsync(members => members == 0, "the end of all", token);
    }

    // A program that is no part of the computation.
    private static RunningProcess StartOutside(CheckpointedProgram program, string name, params string[] arguments)
        => RunningProcess.Start(name, ["/usr/bin/python3", .. arguments], new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" }, "/", program.Transcript);

    private static string FreePort()
    {
        using TcpListener any = new(IPAddress.Loopback, 0);
        any.Start();
        return ((IPEndPoint)any.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
