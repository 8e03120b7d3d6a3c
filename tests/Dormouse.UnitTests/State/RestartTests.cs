using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.State;

internal sealed class RestartTests
{
    private const ulong Computation = 0xABCDEF;

    private SimulatedComputation _computation = null!;

    [SetUp]
    public void SetUp() => _computation = new SimulatedComputation();

    [TearDown]
    public void TearDown() => _computation.Dispose();

    [Test]
    public void ARestart_GoesThroughAllBarriers_AndKeepsNumbers()
    {
        Begin(2);
        (_, MemberScript b) = Wake("b", 9);
        (_, MemberScript a) = Wake("a", 4);

        _computation.Settle();

        List<ReceivedFrame> answers = _computation.Client.Take();
        Assert.That(answers[0].As<RestartAccepted>().Epoch, Is.EqualTo(1));
        Assert.That(answers[^1].As<RestartDone>().Members, Is.EqualTo(2));
        Assert.That(a.Welcome, Has.Property("Member").EqualTo(4u).And.Property("Computation").EqualTo(Computation).And.Property("Epoch").EqualTo(1u));
        Assert.That(b.Welcome.Member, Is.EqualTo(9));
        Assert.That(_computation.Join("new").Script, Is.Not.Null);
        _computation.Settle();
        Assert.That(_computation.State.Members.Select(member => member.Id), Is.EqualTo(new uint[] { 4, 9, 10 }));
    }

    [Test]
    public void ARestart_AfterIt_TheNextCheckpointHasTheNextGeneration()
    {
        Begin(1);
        Wake("a", 4);
        _computation.Settle();
        _computation.Client.Take();

        _computation.BeginCheckpoint();
        _computation.Settle();

        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Generation, Is.EqualTo(8));
    }

    [Test]
    public void ARestart_WithMembersAttached_IsRefused()
    {
        _computation.Join("a");

        Begin(1);

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Failure, Is.EqualTo(FailureKind.Busy));
    }

    [Test]
    public void AMemberThatCannotGoOn_EndsTheRestartForAll()
    {
        Begin(2);
        (RecordingPeer bad, MemberScript script) = Wake("bad", 1);
        (RecordingPeer good, _) = Wake("good", 2);
        script.SilentAt = FrameKind.BarrierReleased;

        _computation.State.Receive(bad, FrameKind.RestartFailed, Encode(new RestartFailed("cannot restore fd 7.")));

        Assert.That(_computation.Client.Take()[^1].As<CommandFailed>().Reason, Does.EndWith("cannot restore fd 7."));
        Assert.That(good.Take()[^1].Kind, Is.EqualTo(FrameKind.Abort));
        Assert.That(good.IsClosed, Is.True);
        Assert.That(_computation.State.Members, Is.Empty);
    }

    [Test]
    public void AMemberThatIsLost_EndsTheRestartForAll()
    {
        Begin(2);
        (RecordingPeer lost, _) = Wake("lost", 1);

        _computation.Lose(lost);

        Assert.That(_computation.Client.Take()[^1].As<CommandFailed>().Reason, Does.Contain("(lost)"));
    }

    [Test]
    public void DmrestartGoingAway_EndsTheRestartForAll()
    {
        Begin(2);
        (RecordingPeer woken, _) = Wake("a", 1);

        _computation.State.Lost(_computation.Client);

        Assert.That(woken.Take()[^1].Kind, Is.EqualTo(FrameKind.Abort));
        Assert.That(_computation.State.Phase, Is.EqualTo(Phase.Running));
    }

    [Test]
    public void ARestartedProcess_WithoutARestart_IsRefused()
    {
        (RecordingPeer peer, _) = Wake("stray", 1);

        Assert.That(peer.TakeOne<Refused>().Reason, Does.Contain("not restarting"));
        Assert.That(peer.IsClosed, Is.True);
    }

    [Test]
    public void WhatIsAnnounced_IsToldToAll_BeforeTheNextBarrierIsReleased()
    {
        Begin(2);
        (RecordingPeer a, _) = Wake("a", 1);
        (RecordingPeer b, _) = Wake("b", 2);
        PublishedName[] here = [new(new ResourceKey(1, 2), [3])], both = [new(new ResourceKey(1, 2), [3]), new(new ResourceKey(4, 5), [6])];
        a.Take();
        b.Take();

        _computation.State.Receive(a, FrameKind.Announce, Encode(new Announce(1, both)));
        _computation.State.Receive(b, FrameKind.Announce, Encode(new Announce(1, here)));
        foreach (RecordingPeer peer in new[] { a, b }) _computation.State.Receive(peer, FrameKind.BarrierReached, Encode(new BarrierReached(1, Phase.Reopen)));
        foreach (RecordingPeer peer in new[] { a, b }) _computation.State.Receive(peer, FrameKind.BarrierReached, Encode(new BarrierReached(1, Phase.Reconnect)));

        foreach (RecordingPeer peer in new[] { a, b })
        {
            List<ReceivedFrame> told = peer.Take();
            Assert.That(told.Select(frame => frame.Kind), Is.EqualTo(new[] { FrameKind.Announced, FrameKind.BarrierReleased, FrameKind.BarrierReleased }));
            Assert.That(told[0].As<Announced>().Names.Select(name => (name.Key.High, name.Value[0])), Is.EqualTo(new[] { (1ul, 3), (4ul, 6) }));
        }
    }

    [Test]
    public void TheSameImageTwice_EndsTheRestart()
    {
        Begin(2);
        Wake("a", 1);

        Wake("a", 1);

        Assert.That(_computation.Client.Take()[^1].As<CommandFailed>().Reason, Does.Contain("Two images"));
    }

    [Test]
    public void AfterTheCoordinatorsDeath_MembersRejoinTheNext()
    {
        MemberHello hello = _computation.Hello("a") with { Flags = MemberFlags.Rejoining, Computation = Computation, Member = 5, Generation = 3 };

        (_, MemberScript a) = _computation.Join(new MemberScript(hello) { TouchesFiles = true });
        _computation.BeginCheckpoint();
        _computation.Settle();

        Assert.That(a.Welcome, Has.Property("Member").EqualTo(5u).And.Property("Computation").EqualTo(Computation));
        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Generation, Is.EqualTo(4));
    }

    private static byte[] Encode<T>(T message)
        where T : struct, IMessage<T>
    {
        MessageWriter writer = new(64);
        message.Write(ref writer);
        return writer.Written.ToArray();
    }

    private void Begin(uint count) => _computation.State.BeginRestart(_computation.Client, new RestartBegin(Computation, 7, 1, count));

    private (RecordingPeer Peer, MemberScript Script) Wake(string program, uint member) => _computation.Join(new MemberScript(
        _computation.Hello(program) with { Flags = MemberFlags.Restarted, Computation = Computation, Member = member, Generation = 7 })
    { TouchesFiles = true });
}
