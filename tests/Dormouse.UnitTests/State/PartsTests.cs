using Dormouse.Protocol;
using Dormouse.UnitTests.Simulation;

namespace Dormouse.UnitTests.State;

/// <summary>A restart that several dmrestarts make together, each on a host of its own.</summary>
internal sealed class PartsTests
{
    private const ulong Number = 77;

    private readonly RecordingPeer _second = new();
    private SimulatedComputation _computation = null!;

    [SetUp]
    public void SetUp() => _computation = new SimulatedComputation();

    [TearDown]
    public void TearDown() => _computation.Dispose();

    [Test]
    public void AllParts_HearThatItIsDone()
    {
        Begin();
        Wake(1, "a");
        Wake(2, "b");

        _computation.Settle();

        Assert.That(_computation.Client.Take()[^1].As<RestartDone>().Members, Is.EqualTo(2));
        Assert.That(_second.Take()[^1].As<RestartDone>().Members, Is.EqualTo(2));
    }

    [Test]
    public void ThePartThatBegan_HearsWhy_AndTheOthersThatItFailed()
    {
        Begin();
        Wake(1, "a");
        (RecordingPeer lost, _) = Wake(2, "b");

        _computation.Lose(lost);

        Assert.That(_computation.Client.Take()[^1].As<CommandFailed>().Reason, Does.Contain("on b ended"));
        Assert.That(_second.Take()[^1].As<CommandFailed>().Reason, Is.Empty);
        Assert.That(_computation.State.Phase, Is.EqualTo(Phase.Running));
    }

    [Test]
    public void APartThatIsLost_EndsTheRestart()
    {
        Begin();
        Wake(1, "a");

        _computation.State.Lost(_second);

        Assert.That(_computation.Client.Take()[^1].Kind, Is.EqualTo(FrameKind.CommandFailed));
    }

    /// <summary>One that dmrestart has started on another host comes a moment after the restart has failed: it must not begin another one.</summary>
    [Test]
    public void APartThatComesTooLate_HearsWhy()
    {
        _computation.State.BeginRestart(_computation.Client, new RestartBegin(Number, 3, 1, 2));
        (RecordingPeer lost, _) = Wake(1, "a");
        _computation.Lose(lost);

        _computation.State.BeginRestart(_second, new RestartBegin(Number, 3, 2, 2, IsPart: true, OnlyJoins: true));

        Assert.That(_second.TakeOne<CommandFailed>().Reason, Does.StartWith("The restart was over").And.Contain("on a ended"));
        Assert.That(_computation.State.Round, Is.Null);
    }

    [TestCase(Number, 4u, 2u, true, Description = "another generation")]
    [TestCase(Number + 1, 3u, 2u, true, Description = "another computation")]
    [TestCase(Number, 3u, 2u, false, Description = "the whole")]
    public void WhoeverMeansAnotherRestart_IsSentAway(ulong computation, uint generation, uint count, bool isPart)
    {
        Begin();
        RecordingPeer other = new();

        _computation.State.BeginRestart(other, new RestartBegin(computation, generation, 9, count, isPart));

        Assert.That(other.TakeOne<CommandFailed>().Failure, Is.EqualTo(FailureKind.Busy));
    }

    private void Begin()
    {
        _computation.State.BeginRestart(_computation.Client, new RestartBegin(Number, 3, 1, 2));
        _computation.State.BeginRestart(_second, new RestartBegin(Number, 3, 2, 2, IsPart: true));
        Assert.That(_second.TakeOne<RestartAccepted>().Epoch, Is.EqualTo(_computation.State.Epoch));
    }

    private (RecordingPeer Peer, MemberScript Script) Wake(uint member, string host)
        => _computation.Join(new MemberScript(_computation.Hello("p", host) with { Flags = MemberFlags.Restarted, Computation = Number, Member = member, Generation = 3 }));
}
