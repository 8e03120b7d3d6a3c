using System.Diagnostics;
using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.Server;

internal sealed class CoordinatorServerTests
{
    [Test, CancelAfter(60_000)]
    public Task AThousandMembers_AreCheckpointedTwice(CancellationToken token) => CheckpointTwiceAsync(1000, token);

    [Test, Explicit("takes a while"), CancelAfter(120_000)]
    public Task FiveThousandMembers_AreCheckpointedTwice(CancellationToken token) => CheckpointTwiceAsync(5000, token);

    private static async Task CheckpointTwiceAsync(int count, CancellationToken token)
    {
        using RunningCoordinator coordinator = new();
        List<TestClient> members = [];
        List<Task> playing = [];
        for (int i = 0; i < count; i++)
        {
            TestClient member = await TestClient.OpenAsync(coordinator, Role.Member, token);
            members.Add(member);
            playing.Add(member.PlayAsync(new MemberScript(Hello(i)), token));
        }

        using TestClient command = await OpenCommandAsync(coordinator, token);
        await WaitForMembersAsync(command, count, token);
        for (uint generation = 1; generation <= 2; generation++)
        {
            Stopwatch watch = Stopwatch.StartNew();
            List<ReceivedFrame> answers = await CheckpointAsync(command, token);
            Assert.That(answers, Has.Count.EqualTo(count + 1));
            Assert.That(answers[^1].As<CheckpointReport>().Generation, Is.EqualTo(generation));
            TestContext.Out.WriteLine($"checkpoint {generation} of {count} members, all of them played by the test: {watch.ElapsedMilliseconds} ms");
        }

        foreach (string line in coordinator.Log.Lines.Where(line => line.Contains("entered from", StringComparison.Ordinal))) TestContext.Out.WriteLine(line);
        foreach (TestClient member in members) member.Dispose();
        await WaitForMembersAsync(command, 0, token);
        await Task.WhenAll(playing.Select(task => task.ContinueWith(_ => { }, TaskScheduler.Default)));
    }

    [Test, CancelAfter(20_000)]
    public async Task AWrongToken_IsRefused_AndTheRestGoesOn(CancellationToken token)
    {
        using RunningCoordinator coordinator = new();
        using TestClient good = await OpenCommandAsync(coordinator, token);

        using TestClient wrong = await TestClient.OpenAsync(coordinator, Role.Member, token, secret: new byte[32]);
        await wrong.SendAsync(Hello(1), token);

        Assert.That((await wrong.ReceiveAsync(token))!.As<Refused>().Reason, Does.Contain("token"));
        Assert.That(await wrong.ReceiveAsync(token), Is.Null);
        await WaitForMembersAsync(good, 0, token);
    }

    [Test, CancelAfter(20_000)]
    public async Task TheCoordinator_ProvesItselfToo(CancellationToken token)
    {
        using RunningCoordinator coordinator = new();
        using TestClient member = await TestClient.OpenAsync(coordinator, Role.Member, token);

        await member.SendAsync(Hello(1), token);

        Assert.That((await member.ReceiveAsync(token))!.As<Welcome>().Proof, Is.EqualTo(member.ExpectedProof));
    }

    public static IEnumerable<TestCaseData> Garbage()
    {
        yield return new TestCaseData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }).SetArgDisplayNames("all ones");
        yield return new TestCaseData(new byte[6]).SetArgDisplayNames("zeros");
        yield return new TestCaseData("GET / HTTP/1.1\r\n\r\n"u8.ToArray()).SetArgDisplayNames("another protocol");
        yield return new TestCaseData(new byte[] { 0, 0, 0, 0, (byte)FrameKind.BarrierReached, 0 }).SetArgDisplayNames("empty message");
        yield return new TestCaseData(new byte[] { 5, 0, 0, 0, (byte)FrameKind.BarrierReached, 0, 1, 0, 0, 0, 77 }).SetArgDisplayNames("no such phase");
        yield return new TestCaseData(new byte[] { 8, 0, 0, 0, (byte)FrameKind.Inventory, 0, 0, 0, 0, 0, 255, 255, 255, 255 }).SetArgDisplayNames("a list that is not there");
        byte[] random = new byte[100_000];
        new Random(1).NextBytes(random);
        yield return new TestCaseData(random).SetArgDisplayNames("noise");
    }

    [TestCaseSource(nameof(Garbage)), CancelAfter(20_000)]
    public async Task MalformedFrames_EndThatConnectionOnly(byte[] garbage, CancellationToken token)
    {
        using RunningCoordinator coordinator = new();
        using TestClient good = await OpenCommandAsync(coordinator, token);
        using TestClient stranger = await TestClient.ConnectAsync(coordinator.Port, token);
        using TestClient member = await TestClient.OpenAsync(coordinator, Role.Member, token);
        using TestClient command = await OpenCommandAsync(coordinator, token);
        await member.SendAsync(Hello(1), token);
        await member.ReceiveAsync(token);
        await stranger.ReceiveAsync(token);

        foreach (TestClient bad in new[] { stranger, member, command })
        {
            try
            {
                await bad.SendBytesAsync(garbage, token);
            }
            catch (System.Net.Sockets.SocketException)
            {
                // Closed before all of it was sent.
            }

            Assert.That(await bad.ReceiveAsync(token), Is.Null);
        }

        await WaitForMembersAsync(good, 0, token);
    }

    [Test, CancelAfter(20_000)]
    public async Task SilentStrangers_AreSentAway(CancellationToken token)
    {
        using RunningCoordinator coordinator = new(options => options with { HandshakeDeadline = TimeSpan.FromMilliseconds(200) });
        using TestClient stranger = await TestClient.ConnectAsync(coordinator.Port, token);
        await stranger.ReceiveAsync(token);

        await stranger.SendBytesAsync([1, 2, 3], token);

        Assert.That(await stranger.ReceiveAsync(token), Is.Null);
        Assert.That(coordinator.Log.Lines, Has.Some.Contains("did not prove"));
    }

    [Test, CancelAfter(30_000)]
    public async Task AClientThatDoesNotRead_LosesItsConnection_AndTheRestGoesOn(CancellationToken token)
    {
        using RunningCoordinator coordinator = new(options => options with { SendDeadline = TimeSpan.FromMilliseconds(300), MaximumQueuedBytes = 1 << 20 });
        using TestClient good = await OpenCommandAsync(coordinator, token);
        using TestClient slow = await TestClient.OpenAsync(coordinator, Role.Command, token, receiveBufferBytes: 2048);

        try
        {
            MessageWriter many = new(64);
            for (int i = 0; i < 10_000; i++) Frame.Append(ref many, default(StatusCommand));
            byte[] bytes = many.Written.ToArray();
            while (true) await slow.SendBytesAsync(bytes, token);
        }
        catch (System.Net.Sockets.SocketException)
        {
            // It was closed.
        }

        Assert.That(coordinator.Log.Lines, Has.Some.Contains("does not read"));
        await WaitForMembersAsync(good, 0, token);
    }

    [Test, CancelAfter(20_000)]
    public async Task TheCoordinator_EndsWithTheLastProcess_WhenAsked(CancellationToken token)
    {
        using RunningCoordinator coordinator = new(options => options with { ExitOnLast = true, ExitLinger = TimeSpan.FromMilliseconds(100) });
        using (TestClient member = await TestClient.OpenAsync(coordinator, Role.Member, token))
        {
            await member.SendAsync(Hello(1), token);
            await member.ReceiveAsync(token);
            Assert.That(coordinator.WaitForEnd(TimeSpan.FromSeconds(2.5)), Is.False);
        }

        Assert.That(coordinator.WaitForEnd(TimeSpan.FromSeconds(10)), Is.True);
    }

    [Test]
    public void APort_HasOneCoordinator()
    {
        using RunningCoordinator first = new();

        Assert.That(() => new RunningCoordinator(options => options with { Port = first.Port }), Throws.TypeOf<System.Net.Sockets.SocketException>());
    }

    [Test, CancelAfter(20_000)]
    public async Task Quit_EndsMembersAndCoordinator(CancellationToken token)
    {
        using RunningCoordinator coordinator = new();
        using TestClient member = await TestClient.OpenAsync(coordinator, Role.Member, token);
        await member.SendAsync(Hello(1), token);
        await member.ReceiveAsync(token);
        using TestClient command = await OpenCommandAsync(coordinator, token);

        await command.SendAsync(default(QuitCommand), token);

        Assert.That((await member.ReceiveAsync(token))!.Kind, Is.EqualTo(FrameKind.KillRequested));
        member.Dispose();
        Assert.That((await command.ReceiveAsync(token))!.Kind, Is.EqualTo(FrameKind.CommandDone));
        Assert.That(coordinator.WaitForEnd(TimeSpan.FromSeconds(10)), Is.True);
    }

    /// <summary>Whoever reads that his restart is refused may start another coordinator at once.</summary>
    [Test, CancelAfter(20_000)]
    public async Task ACoordinatorThatIsNotNeeded_LeavesItsPort_BeforeItSaysSo(CancellationToken token)
    {
        using RunningCoordinator coordinator = new(options => options with { ExitOnLast = true });
        using TestClient command = await OpenCommandAsync(coordinator, token);

        await command.SendAsync(default(DismissCommand), token);

        Assert.That(await command.ReceiveAsync(token), Is.Null);
        Assert.That(() => new RunningCoordinator(options => options with { Port = coordinator.Port }).Dispose(), Throws.Nothing);
        Assert.That(coordinator.WaitForEnd(TimeSpan.FromSeconds(10)), Is.True);
    }

    [Test, CancelAfter(20_000)]
    public async Task ACoordinatorWhoseRestartIsGivenUpBeforeItBegins_Ends(CancellationToken token)
    {
        using RunningCoordinator coordinator = new(options => options with { ExitOnLast = true });
        TestClient command = await OpenCommandAsync(coordinator, token);
        await command.SendAsync(default(PreparingCommand), token);

        command.Dispose();

        Assert.That(coordinator.WaitForEnd(TimeSpan.FromSeconds(10)), Is.True);
    }

    [Test, CancelAfter(20_000)]
    public async Task ARestartThatFails_IsToldWhenThePortIsFree(CancellationToken token)
    {
        using RunningCoordinator coordinator = new(options => options with { ExitOnLast = true });
        using TestClient command = await OpenCommandAsync(coordinator, token);
        await command.SendAsync(new RestartBegin(7, 1, 1, 2), token);
        using TestClient member = await TestClient.OpenAsync(coordinator, Role.Member, token);
        await member.SendAsync(Hello(1) with { Flags = MemberFlags.Restarted, Computation = 7, Member = 1, Generation = 1 }, token);
        await member.ReceiveAsync(token);

        member.Dispose();

        ReceivedFrame frame;
        do frame = (await command.ReceiveAsync(token))!;
        while (frame.Kind != FrameKind.CommandFailed);
        Assert.That(() => new RunningCoordinator(options => options with { Port = coordinator.Port }).Dispose(), Throws.Nothing);
        Assert.That(coordinator.WaitForEnd(TimeSpan.FromSeconds(10)), Is.True);
    }

    [Test, CancelAfter(20_000)]
    public async Task ACoordinatorThatOthersUse_IsNotDismissed(CancellationToken token)
    {
        using RunningCoordinator coordinator = new(options => options with { ExitOnLast = true });
        using TestClient member = await TestClient.OpenAsync(coordinator, Role.Member, token);
        await member.SendAsync(Hello(1), token);
        await member.ReceiveAsync(token);
        using TestClient command = await OpenCommandAsync(coordinator, token);

        await command.SendAsync(default(DismissCommand), token);

        Assert.That(await command.ReceiveAsync(token), Is.Null);
        using TestClient other = await OpenCommandAsync(coordinator, token);
        await other.SendAsync(default(StatusCommand), token);
        Assert.That((await other.ReceiveAsync(token))!.As<StatusReport>().Members, Is.EqualTo(1));
    }

    private static MemberHello Hello(int number)
        => new("host", "simulated", 100_000 + number, 1, 1, 0, "p" + number, "/p", MemberFlags.None, 0, 0, 0);

    private static async Task<TestClient> OpenCommandAsync(RunningCoordinator coordinator, CancellationToken token)
    {
        TestClient command = await TestClient.OpenAsync(coordinator, Role.Command, token);
        Assert.That((await command.ReceiveAsync(token))!.As<CommandWelcome>().Proof, Is.EqualTo(command.ExpectedProof));
        return command;
    }

    private static async Task<List<ReceivedFrame>> CheckpointAsync(TestClient command, CancellationToken token)
    {
        await command.SendAsync(new CheckpointCommand(ImageCodec.Raw, false, ""), token);
        List<ReceivedFrame> answers = [];
        do answers.Add((await command.ReceiveAsync(token))!);
        while (answers[^1].Kind == FrameKind.ImageReport);
        return answers;
    }

    private static async Task WaitForMembersAsync(TestClient command, int count, CancellationToken token)
    {
        uint last;
        do
        {
            await command.SendAsync(default(StatusCommand), token);
            last = (await command.ReceiveAsync(token))!.As<StatusReport>().Members;
            token.ThrowIfCancellationRequested();
        }
        while (last != count);
    }
}
