using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.State;

internal sealed class CheckpointTests
{
    private SimulatedComputation _computation = null!;

    [SetUp]
    public void SetUp() => _computation = new SimulatedComputation();

    [TearDown]
    public void TearDown() => _computation.Dispose();

    [Test]
    public void ACheckpoint_OfManyMembers_IsReportedWithAllImages([Values(1, 2, 1000)] int count)
    {
        for (int i = 0; i < count; i++) _computation.Join(new MemberScript(_computation.Hello("p" + i)));

        _computation.BeginCheckpoint();
        _computation.Settle();

        List<ReceivedFrame> answers = _computation.Client.Take();
        Assert.That(answers.Count(frame => frame.Kind == FrameKind.ImageReport), Is.EqualTo(count));
        Assert.That(answers[^1].As<CheckpointReport>(), Has.Property("Generation").EqualTo(1u).And.Property("Images").EqualTo((uint)count));
        Assert.That(_computation.State.Phase, Is.EqualTo(Phase.Running));
    }

    [Test]
    public void ACheckpoint_WithoutMembers_IsRefused()
    {
        _computation.BeginCheckpoint();

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Failure, Is.EqualTo(FailureKind.NothingAttached));
    }

    [Test]
    public void SecondCheckpoint_WhileDraining_IsRefused()
    {
        _computation.Join("a");
        _computation.BeginCheckpoint();
        _computation.SettleUntil(Phase.Drain);

        RecordingPeer second = new();
        _computation.State.BeginCheckpoint(second, new CheckpointCommand(ImageCodec.Raw, false, ""));

        Assert.That(second.TakeOne<CommandFailed>().Failure, Is.EqualTo(FailureKind.Busy));
        _computation.Settle();
        Assert.That(_computation.Client.Take()[^1].Kind, Is.EqualTo(FrameKind.CheckpointReport));
    }

    [Test]
    public void AChildThatHasNotJoined_IsWaitedFor_AndTakesPart()
    {
        (_, MemberScript parent) = _computation.Join("parent");
        MemberScript child = new(_computation.Hello("child")) { TouchesFiles = true };
        parent.Children = [child.Hello.Pid];
        parent.SilentAt = FrameKind.ChildrenUnknown;

        _computation.BeginCheckpoint();
        _computation.Settle();
        Assert.That(_computation.State.Phase, Is.EqualTo(Phase.Suspend));
        Assert.That(_computation.State.Status().WaitingFor, Does.Contain($"pid {child.Hello.Pid}, a child of pid {parent.Hello.Pid} (parent)"));

        (RecordingPeer childPeer, _) = _computation.Join(child);
        parent.SilentAt = null;
        _computation.State.Receive(PeerOf(parent), FrameKind.Suspended, Encode(new Suspended(1, 1, parent.Children)));
        _computation.Settle();

        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Images, Is.EqualTo(2));
        Assert.That(childPeer.IsClosed, Is.False);
    }

    [Test]
    public void AChildThatNeverJoins_IsNamed_WhenTheDeadlineHasPassed()
    {
        (_, MemberScript parent) = _computation.Join("parent");
        parent.Children = [77];
        parent.SilentAt = FrameKind.ChildrenUnknown;

        _computation.BeginCheckpoint();
        _computation.Settle();
        _computation.Wait(TimeSpan.FromSeconds(11));

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Reason, Does.StartWith("Waited 11 s for pid 77, a child of pid 1000 (parent)"));
        _computation.Settle();
        Assert.That(parent.Abort.Epoch, Is.EqualTo(1));
    }

    [Test]
    public void AMissingMember_IsNamed_WhenTheDeadlineHasPassed(
        [Values(FrameKind.CheckpointRequested, FrameKind.BarrierReleased, FrameKind.Candidates, FrameKind.CommitImages)] FrameKind silentAt)
    {
        (_, MemberScript good) = _computation.Join("good");
        (_, MemberScript silent) = _computation.Join("silent");
        silent.SilentAt = silentAt;

        _computation.BeginCheckpoint();
        _computation.Settle();
        _computation.Wait(TimeSpan.FromHours(2));
        _computation.Settle();

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Reason, Does.Contain("(silent) on ").And.Not.Contain("(good)"));
        Assert.That(good.Abort.Epoch, Is.EqualTo(1));
        Assert.That(silent.Abort.Epoch, Is.EqualTo(1));
        Assert.That(_computation.State.Phase, Is.EqualTo(Phase.Running));
    }

    [Test]
    public void AMemberThatEndsBeforeItIsSuspended_IsForgotten()
    {
        _computation.Join("stays");
        (RecordingPeer peer, MemberScript goes) = _computation.Join("goes");
        goes.SilentAt = FrameKind.CheckpointRequested;

        _computation.BeginCheckpoint();
        _computation.Settle();
        _computation.Lose(peer);
        _computation.Settle();

        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Images, Is.EqualTo(1));
    }

    [Test]
    public void AMemberThatEndsLater_AbortsForAll([Values(Phase.Suspend, Phase.Drain, Phase.Write)] Phase phase)
    {
        (RecordingPeer peer, _) = _computation.Join("goes");
        (_, MemberScript stays) = _computation.Join("stays");
        (_, MemberScript third) = _computation.Join("third");
        third.SilentAt = phase switch { Phase.Suspend => FrameKind.CheckpointRequested, Phase.Drain => FrameKind.Candidates, _ => null };

        _computation.BeginCheckpoint();
        if (phase == Phase.Write) _computation.SettleUntil(Phase.Write);
        else _computation.Settle();
        Assert.That(_computation.State.Phase, Is.EqualTo(phase));
        _computation.Lose(peer);
        _computation.Settle();

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Reason, Does.Contain("(goes)"));
        Assert.That(stays.Abort.Epoch, Is.EqualTo(1));
    }

    [Test]
    public void AMemberThatEndsAfterItsImageIsSynced_DoesNotSpoilTheCheckpoint([Values(Phase.Resume, Phase.Commit)] Phase phase)
    {
        (RecordingPeer peer, MemberScript goes) = _computation.Join("goes");
        (_, MemberScript stays) = _computation.Join("stays");
        goes.SilentAt = FrameKind.CommitImages;
        _computation.BeginCheckpoint();
        if (phase == Phase.Commit) _computation.Settle();
        else
        {
            _computation.SettleUntil(Phase.Resume);
            File.WriteAllText(Temporary(goes), "generation 1");
            _computation.State.Receive(peer, FrameKind.ImageWritten, Encode(new ImageWritten(1, Temporary(goes), goes.ImageName, 1, 1, 1, [])));
        }

        Assert.That(_computation.State.Phase, Is.EqualTo(phase));
        _computation.Lose(peer);
        _computation.Settle();

        Assert.That(_computation.Client.Take()[^1].Kind, Is.EqualTo(FrameKind.CheckpointReport));
        Assert.That(Path.Combine(_computation.Directory, goes.ImageName), Does.Exist);
        Assert.That(Path.Combine(_computation.Directory, stays.ImageName), Does.Exist);
    }

    [Test]
    public void AMemberThatEndsBeforeItsImageIsSynced_HasItSyncedForIt()
    {
        (RecordingPeer peer, MemberScript goes) = _computation.Join("goes");
        (_, MemberScript stays) = _computation.Join("stays");
        _computation.BeginCheckpoint();
        _computation.SettleUntil(Phase.Write);
        goes.SilentAt = FrameKind.BarrierReleased;
        File.WriteAllText(Temporary(goes), "generation 1");
        _computation.State.Receive(peer, FrameKind.BarrierReached, Encode(new BarrierReached(1, Phase.Write)));
        _computation.SettleUntil(Phase.Resume);

        _computation.Lose(peer);
        _computation.Settle();

        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Images, Is.EqualTo(2));
        Assert.That(Path.Combine(_computation.Directory, goes.ImageName), Does.Exist);
        Assert.That(Path.Combine(_computation.Directory, stays.ImageName), Does.Exist);
    }

    [Test]
    public void ANewProcess_WhileDraining_WaitsForTheEnd()
    {
        _computation.Join("a");
        _computation.BeginCheckpoint();
        _computation.SettleUntil(Phase.Drain);

        (RecordingPeer late, MemberScript script) = _computation.Join("late");
        Assert.That(late.Take(), Is.Empty);
        _computation.Settle();

        Assert.That(script.Welcome.Member, Is.EqualTo(2));
        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Images, Is.EqualTo(1));
    }

    [Test]
    public void MessagesOfAnAbortedCheckpoint_AreIgnored()
    {
        (RecordingPeer peer, MemberScript script) = _computation.Join("a");
        script.SilentAt = FrameKind.CheckpointRequested;
        _computation.BeginCheckpoint();
        _computation.Settle();
        _computation.Wait(TimeSpan.FromMinutes(1));
        _computation.Client.Take();

        Assert.That(() => _computation.State.Receive(peer, FrameKind.Suspended, Encode(new Suspended(1, 1, []))), Throws.Nothing);
        script.SilentAt = null;
        _computation.BeginCheckpoint();
        _computation.State.Receive(peer, FrameKind.Suspended, Encode(new Suspended(1, 1, [])));
        _computation.Settle();

        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Generation, Is.EqualTo(2));
    }

    [Test]
    public void WhatAMemberMayNotSay_IsAProtocolError()
    {
        (RecordingPeer peer, MemberScript script) = _computation.Join("a");
        script.SilentAt = FrameKind.CheckpointRequested;
        _computation.BeginCheckpoint();

        Assert.That(() => _computation.State.Receive(peer, FrameKind.BarrierReached, Encode(new BarrierReached(1, Phase.Write))), Throws.TypeOf<ProtocolException>());
        Assert.That(() => _computation.State.Receive(peer, FrameKind.BarrierReached, Encode(new BarrierReached(1, Phase.Suspend))), Throws.TypeOf<ProtocolException>());
        Assert.That(() => _computation.State.Receive(peer, FrameKind.CommitDone, Encode(new CommitDone(2))), Throws.TypeOf<ProtocolException>());
        Assert.That(() => _computation.State.Receive(peer, FrameKind.QuitCommand, []), Throws.TypeOf<ProtocolException>());
    }

    [Test]
    public void AFailure_ThatAMemberReports_ReachesTheCommand()
    {
        (RecordingPeer peer, MemberScript script) = _computation.Join("a");
        script.SilentAt = FrameKind.CheckpointRequested;
        _computation.BeginCheckpoint();

        _computation.State.Receive(peer, FrameKind.CheckpointFailed, Encode(new CheckpointFailed(1, "thread 5 is in vfork.")));

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Reason, Does.EndWith("thread 5 is in vfork."));
    }

    [Test]
    public void APassingFailure_IsTriedAgain_WithTheSameNumber_UntilPatienceEnds()
    {
        (RecordingPeer peer, MemberScript script) = _computation.Join("a");
        script.SilentAt = FrameKind.CheckpointRequested;
        _computation.BeginCheckpoint();
        uint generation = peer.TakeOne<CheckpointRequested>().Generation;

        for (uint attempt = 1; attempt <= 2; attempt++)
        {
            _computation.State.Receive(peer, FrameKind.CheckpointFailed, Encode(new CheckpointFailed(_computation.State.Epoch, "a connection waits.", IsPassing: true)));
            Assert.That(_computation.State.Phase, Is.EqualTo(Phase.Running));
            _computation.Clock.Advance(TimeSpan.FromMilliseconds(20));
            _computation.State.Tick();
            Assert.That(_computation.State.Phase, Is.EqualTo(Phase.Suspend));
            Assert.That(peer.TakeOne<CheckpointRequested>().Generation, Is.EqualTo(generation));
        }

        _computation.Clock.Advance(TimeSpan.FromSeconds(10));
        _computation.State.Receive(peer, FrameKind.CheckpointFailed, Encode(new CheckpointFailed(_computation.State.Epoch, "a connection waits.", IsPassing: true)));

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Reason, Does.EndWith("a connection waits."));
    }

    [Test]
    public void SharedThings_AreToldToThoseWhoShareThem()
    {
        InventoryItem pipeOfA = new(new(1, 1), default, 7, 3, 0), pipeOfB = pipeOfA with { Local = 9 };
        InventoryItem socketOfA = new(new(2, 1), new(2, 2), 8, 4, 0), socketOfC = new(new(2, 2), new(2, 1), 8, 5, 0);
        (_, MemberScript a) = _computation.Join("a");
        (_, MemberScript b) = _computation.Join("b");
        (_, MemberScript c) = _computation.Join("c");
        a.Inventory = [pipeOfA, socketOfA, new(new(4, 4), default, 1, 1, 0)];
        b.Inventory = [pipeOfB, pipeOfB with { Local = 10 }];
        c.Inventory = [socketOfC];

        _computation.BeginCheckpoint();
        _computation.Settle();

        Assert.That(a.Candidates.Items, Is.EqualTo(new Candidate[]
        {
            new(2, b.Hello.Pid, pipeOfB), new(2, b.Hello.Pid, pipeOfB with { Local = 10 }), new(3, c.Hello.Pid, socketOfC),
        }));
        Assert.That(b.Candidates.Items, Is.EqualTo(new Candidate[] { new(1, a.Hello.Pid, pipeOfA) }));
        Assert.That(c.Candidates.Items, Is.EqualTo(new Candidate[] { new(1, a.Hello.Pid, socketOfA) }));
        Assert.That(c.Candidates.ImageCount, Is.EqualTo(3));
    }

    [Test]
    public void ACommandStartedByAMember_IsNoMember_AndNoLostChild()
    {
        (_, MemberScript shell) = _computation.Join("sh");
        MemberHello hello = _computation.Hello("dmcommand");
        shell.Children = [hello.Pid];
        (RecordingPeer before, _) = _computation.Join(new MemberScript(hello));

        _computation.State.Introduce(_computation.Client, new CommandHello(hello.HostId, hello.Pid));
        (RecordingPeer after, _) = _computation.Join(new MemberScript(hello));
        _computation.BeginCheckpoint();
        _computation.Settle();

        Assert.That(before.IsClosed, Is.True);
        Assert.That(after.IsClosed, Is.True);
        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Images, Is.EqualTo(1));
    }

    [Test]
    public void PeriodicCheckpoints_HappenByThemselves()
    {
        _computation.Join("a");
        _computation.State.SetInterval(TimeSpan.FromSeconds(60));

        for (int i = 0; i < 3; i++)
        {
            _computation.Wait(TimeSpan.FromSeconds(61));
            _computation.Settle();
        }

        Assert.That(_computation.State.Status().Generation, Is.EqualTo(3));
    }

    [Test]
    public void AProcessThatExecs_IsTheSameProcessAnew()
    {
        (RecordingPeer before, _) = _computation.Join("sh");
        MemberScript after = new(_computation.Hello("python", pid: 1000)) { TouchesFiles = true };

        _computation.Join(after);
        _computation.State.Lost(before);
        _computation.BeginCheckpoint();
        _computation.Settle();

        Assert.That(before.IsClosed, Is.True);
        Assert.That(_computation.State.Members, Has.Count.EqualTo(1));
        Assert.That(_computation.Client.Take()[^1].As<CheckpointReport>().Images, Is.EqualTo(1));
    }

    [Test]
    public void AKillingCheckpoint_IsReportedWhenAllHaveEnded()
    {
        (RecordingPeer peer, MemberScript script) = _computation.Join("a");

        _computation.BeginCheckpoint(killAfter: true);
        _computation.Settle();

        Assert.That(script.Finished.Exit, Is.True);
        Assert.That(_computation.Client.Take(), Is.Empty);
        _computation.Lose(peer);
        Assert.That(_computation.Client.Take()[^1].Kind, Is.EqualTo(FrameKind.CheckpointReport));
    }

    [Test]
    public void Kill_NamesThoseWhoDoNotEnd()
    {
        (RecordingPeer peer, _) = _computation.Join("stubborn");

        _computation.State.Kill(_computation.Client, quit: false);
        Assert.That(peer.Take().Select(frame => frame.Kind), Does.Contain(FrameKind.KillRequested));
        _computation.Wait(TimeSpan.FromSeconds(6));

        Assert.That(_computation.Client.TakeOne<CommandFailed>().Reason, Does.Contain("(stubborn)"));
    }

    private static byte[] Encode<T>(T message)
        where T : struct, IMessage<T>
    {
        MessageWriter writer = new(64);
        message.Write(ref writer);
        return writer.Written.ToArray();
    }

    private RecordingPeer PeerOf(MemberScript script)
        => (RecordingPeer)_computation.State.Members.Single(member => member.Hello.Pid == script.Hello.Pid).Peer;

    private string Temporary(MemberScript script) => Path.Combine(_computation.Directory, ImageNames.Temporary(script.ImageName, 1));
}
