using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.State;

internal sealed class GenerationTests
{
    private SimulatedComputation _computation = null!;

    [SetUp]
    public void SetUp() => _computation = new SimulatedComputation();

    [TearDown]
    public void TearDown() => _computation.Dispose();

    [Test]
    public void TheNewestGeneration_IsOnTop_AndTheOneBeforeBeside()
    {
        (_, MemberScript a) = _computation.Join("a");
        (_, MemberScript b) = _computation.Join("b");

        Checkpoint();
        Checkpoint();

        Assert.That(Contents(a.ImageName), Is.EqualTo("generation 2"));
        Assert.That(Contents(b.ImageName), Is.EqualTo("generation 2"));
        Assert.That(Contents("generation-1", a.ImageName), Is.EqualTo("generation 1"));
        Assert.That(Contents("generation-1", b.ImageName), Is.EqualTo("generation 1"));
        Assert.That(Files(), Has.Length.EqualTo(5));
    }

    [Test]
    public void OlderGenerations_AreDeleted()
    {
        (_, MemberScript a) = _computation.Join("a");

        for (int i = 0; i < 5; i++) Checkpoint();

        Assert.That(Contents(a.ImageName), Is.EqualTo("generation 5"));
        Assert.That(Contents("generation-4", a.ImageName), Is.EqualTo("generation 4"));
        Assert.That(Files(), Has.Length.EqualTo(3));
        Assert.That(Directory.GetDirectories(_computation.Directory), Has.Length.EqualTo(1));
    }

    [Test]
    public void ImagesOfMembersThatAreGone_AreMovedToo()
    {
        (RecordingPeer peer, MemberScript gone) = _computation.Join("gone");
        (_, MemberScript stays) = _computation.Join("stays");
        Checkpoint();
        _computation.Lose(peer);

        Checkpoint();

        Assert.That(Contents("generation-1", gone.ImageName), Is.EqualTo("generation 1"));
        Assert.That(Path.Combine(_computation.Directory, gone.ImageName), Does.Not.Exist);
        Assert.That(Contents(stays.ImageName), Is.EqualTo("generation 2"));
    }

    [Test]
    public void ACommitThatBreaksOff_LeavesTheOlderGenerationComplete_AndTheNextOneWorks()
    {
        (_, MemberScript good) = _computation.Join("good");
        (_, MemberScript silent) = _computation.Join("silent");
        Checkpoint();

        silent.SilentAt = FrameKind.CommitImages;
        _computation.BeginCheckpoint();
        _computation.Settle();
        _computation.Wait(TimeSpan.FromHours(1));
        _computation.Settle();
        Assert.That(_computation.State.Status().Generation, Is.EqualTo(1));
        Assert.That(Contents("generation-1", good.ImageName), Is.EqualTo("generation 1"));
        Assert.That(Contents(silent.ImageName), Is.EqualTo("generation 1"));

        silent.SilentAt = null;
        Checkpoint();

        foreach (MemberScript script in new[] { good, silent })
        {
            Assert.That(Contents("generation-1", script.ImageName), Is.EqualTo("generation 1"));
            Assert.That(Contents(script.ImageName), Is.EqualTo("generation 3"));
        }
    }

    [Test]
    public void TheListOfGenerations_IsTakenUpByTheNextCoordinator()
    {
        (_, MemberScript a) = _computation.Join("a");
        Checkpoint();
        Checkpoint();
        ulong computation = _computation.State.Number;

        using SimulatedComputation next = new(options => options with { Directory = _computation.Directory });
        next.State.BeginRestart(next.Client, new RestartBegin(computation, 1, 5, 1));
        next.Join(new MemberScript(a.Hello with { Flags = MemberFlags.Restarted, Computation = computation, Member = a.Welcome.Member, Generation = 1 }) { TouchesFiles = true });
        next.Settle();
        next.BeginCheckpoint();
        next.Settle();

        Assert.That(Contents(a.ImageName), Is.EqualTo("generation 3"));
        Assert.That(Contents("generation-2", a.ImageName), Is.EqualTo("generation 2"));
        Assert.That(Path.Combine(_computation.Directory, "generation-1"), Does.Not.Exist);
    }

    /// <summary>The directory is shared: who stays on the older image's host would take the new image for it, when the other one is faster.</summary>
    [Test]
    public void AProcessThatHasMovedToAnotherHost_KeepsItsOlderImage_AndItsNewOne()
    {
        MemberScript moves = _computation.Join(new MemberScript(_computation.Hello("moves", "here", "here")) { TouchesFiles = true }).Script;
        MemberScript stays = _computation.Join(new MemberScript(_computation.Hello("stays", "here", "here")) { TouchesFiles = true }).Script;
        Checkpoint();
        ulong computation = _computation.State.Number;

        using SimulatedComputation next = new(options => options with { Directory = _computation.Directory });
        next.State.BeginRestart(next.Client, new RestartBegin(computation, 1, 5, 2));
        foreach (MemberScript script in (MemberScript[])[moves, stays])
        {
            string host = script == moves ? "there" : "here";
            next.Join(new MemberScript(script.Hello with { HostName = host, HostId = host, Flags = MemberFlags.Restarted, Computation = computation, Member = script.Welcome.Member, Generation = 1 }) { TouchesFiles = true });
        }

        next.Settle();
        next.BeginCheckpoint();
        next.Settle();

        foreach (MemberScript script in (MemberScript[])[moves, stays])
        {
            Assert.That(Contents(script.ImageName), Is.EqualTo("generation 2"));
            Assert.That(Contents("generation-1", script.ImageName), Is.EqualTo("generation 1"));
        }
    }

    [Test]
    public void ACoordinatorThatTakesAnothersPlace_CountsOn()
    {
        (_, MemberScript a) = _computation.Join("a");
        Checkpoint();
        Checkpoint();

        using SimulatedComputation next = new(options => options with { Directory = _computation.Directory, Computation = _computation.State.Number });
        next.Join(new MemberScript(a.Hello with { Flags = MemberFlags.Rejoining, Computation = _computation.State.Number, Member = 1, Generation = 5 }) { TouchesFiles = true });
        Assert.That(next.State.Status().Generation, Is.EqualTo(2));
        next.BeginCheckpoint();
        next.Settle();

        Assert.That(Contents(a.ImageName), Is.EqualTo("generation 6"));
        Assert.That(Contents("generation-2", a.ImageName), Is.EqualTo("generation 2"));
    }

    private void Checkpoint()
    {
        _computation.BeginCheckpoint();
        _computation.Settle();
        Assert.That(_computation.Client.Take()[^1].Kind, Is.EqualTo(FrameKind.CheckpointReport));
    }

    private string Contents(params string[] path) => File.ReadAllText(Path.Combine([_computation.Directory, .. path]));

    private string[] Files() => Directory.GetFiles(_computation.Directory, "*", SearchOption.AllDirectories);
}
